using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Prometheus;

namespace Orchestrator.Proxy.Tls;

/// <summary>
/// Ends TLS for the connections of a listener: handshake, then HTTP within. Kestrel's own would ask for its host's services and
/// could not share a port with plain requests.
/// </summary>
/// <param name="port">As in the routes.</param>
internal sealed class TlsHandshake(int port, TlsDirectory directory, TimeProvider time)
{
    /// <summary>Kestrel's and nginx' are 10 s and 60 s. A handshake is two round trips.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private static readonly Counter Failures = Metrics.CreateCounter(
        "orchestrator_proxy_tls_handshake_failures_total",
        "TLS connections that came to nothing: no_certificate for the name, timeout, or failed (the client went away, or nothing in common).",
        "reason");

    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var transport = connection.Transport;
        var tls = new TlsConnection();
        await using var stream = new SslStream(new DuplexPipeStream(transport));
        if (!await AuthenticateAsync(stream, tls, TlsProtocols.Http, connection.ConnectionClosed))
        {
            return;
        }

        connection.Features.Set<ITlsConnectionFeature>(tls);
        connection.Features.Set<ITlsHandshakeFeature>(tls);
        connection.Features.Set<ITlsApplicationProtocolFeature>(tls);
        connection.Features.Set(tls);
        var pool = connection.Features.Get<IMemoryPoolFeature>()?.MemoryPool;
        var inside = new Inside(
            PipeReader.Create(stream, new StreamPipeReaderOptions(pool, leaveOpen: true, useZeroByteReads: true)),
            PipeWriter.Create(stream, new StreamPipeWriterOptions(pool, leaveOpen: true)));
        connection.Transport = inside;
        try
        {
            await next(connection);
        }
        finally
        {
            connection.Transport = transport;
            await inside.Input.CompleteAsync();
            await inside.Output.CompleteAsync();
        }
    }

    /// <returns>False: it came to nothing, and the client has been told.</returns>
    public async Task<bool> AuthenticateAsync(SslStream stream, TlsConnection tls, TlsProtocols protocols, CancellationToken closed)
    {
        using var late = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, closed);
        var reason = "failed";
        try
        {
            await stream.AuthenticateAsServerAsync(Choose, (this, tls, protocols), either.Token);
            tls.Complete(stream);
            return true;
        }
        catch (NoCertificateException)
        {
            reason = "no_certificate";
        }
        catch (OperationCanceledException)
        {
            reason = late.IsCancellationRequested ? "timeout" : reason;
        }
        catch (Exception failure) when (failure is IOException or AuthenticationException or ConnectionAbortedException or InvalidOperationException)
        {
            // Whatever a peer may do to a handshake; it has had its alert.
        }

        Failures.WithLabels(reason).Inc();
        return false;
    }

    private static ValueTask<SslServerAuthenticationOptions> Choose(
        SslStream stream, SslClientHelloInfo hello, object? state, CancellationToken cancellationToken)
    {
        var (self, tls, protocols) = ((TlsHandshake, TlsConnection, TlsProtocols))state!;
        tls.ServerName = hello.ServerName ?? "";
        var choice = self.Choose(tls.ServerName);
        tls.HasAsked = choice.Asks;
        return choice switch
        {
            { Certificate: null } => throw new NoCertificateException(),
            { Asks: true } => ValueTask.FromResult(choice.Certificate.OptionsAsking(tls, protocols)),
            _ => ValueTask.FromResult(choice.Certificate.OptionsFor(protocols)),
        };
    }

    private TlsChoice Choose(string name) => directory.Table.Choose(port, name);

    private sealed class NoCertificateException() : AuthenticationException("no certificate for this name");

    private sealed record Inside(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
