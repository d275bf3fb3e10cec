using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Engines;

/// <summary>
/// Opens connections to one engine: unix, tcp, tcp with mutual TLS, or ssh. The TLS handshake is made here rather than by the HTTP
/// handler so that each way it can fail is told apart (docs/design/host-agent.md, Connections).
/// </summary>
/// <param name="sshProgram">A path, or a name to look for.</param>
internal sealed class EngineDialer(
    EngineEndpoint endpoint, EngineCredentials credentials, TimeProvider time, string sshProgram = SshConnections.DefaultProgram) : IDisposable
{
    /// <summary>An engine on another continent answers in well under a second; a dropped packet is sent again after one.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    private readonly SshConnections? _ssh = endpoint.Transport == EngineTransport.Ssh ? new(endpoint, credentials.Ssh, sshProgram, time) : null;
    private IPAddress? _dialled;
    private Task<IPAddress?>? _lookedUp;

    public EngineEndpoint Endpoint => endpoint;

    public bool UsesTls => credentials.Tls is not null;

    /// <summary>
    /// The address that the endpoint's name stood for when it was last dialled; null for a unix socket, and for ssh where only another
    /// machine, which the connection goes through, can tell.
    /// </summary>
    public IPAddress? PeerAddress => _lookedUp is { IsCompletedSuccessfully: true } ? _lookedUp.Result : _dialled;

    public void Dispose() => _ssh?.Dispose();

    public async ValueTask<Stream> DialAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (_ssh is not null)
        {
            // Beside the connection, which waits for no name server: what is asked for comes long after.
            _lookedUp ??= EngineAddress.OfAsync(endpoint, sshProgram, CancellationToken.None);
            return await _ssh.OpenAsync(cancellationToken);
        }

        var stream = await ConnectAsync(cancellationToken);
        if (credentials.Tls is not { } certificates)
        {
            return stream;
        }

        try
        {
            return await SecureAsync(stream, certificates, cancellationToken);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private async Task<NetworkStream> ConnectAsync(CancellationToken cancellationToken)
    {
        var isTcp = endpoint.Transport == EngineTransport.Tcp;
        var socket = isTcp
            ? new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        using var limit = new CancellationTokenSource(ConnectTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            if (isTcp)
            {
                KeepAlive(socket);
            }

            await socket.ConnectAsync(endpoint.ToEndPoint(), linked.Token);
            _dialled = socket.RemoteEndPoint is IPEndPoint { Address: var peer } ? peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer : null;
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception failure)
        {
            socket.Dispose();
            throw failure switch
            {
                OperationCanceledException when !cancellationToken.IsCancellationRequested => new EngineException(
                    EngineFailure.Unreachable, $"connecting to {endpoint} took longer than {ConnectTimeout.TotalSeconds} s", failure),
                SocketException socketFailure => Explain(socketFailure),
                _ => failure,
            };
        }
    }

    // An idle event stream over a link that is cut would stay open for ever, and the engine drops its side in silence.
    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
    }

    private EngineException Explain(SocketException failure) => failure.SocketErrorCode switch
    {
        _ when endpoint.SocketPath is not null && !File.Exists(endpoint.SocketPath) => new(
            EngineFailure.Refused, $"there is no socket {endpoint}: is Docker installed and running?", failure),
        SocketError.AccessDenied => new(
            EngineFailure.Refused, $"no permission to use {endpoint}: run as root or as a member of the group docker", failure),
        SocketError.ConnectionRefused => new(
            EngineFailure.Refused, $"connection to {endpoint} refused: is the engine running and listening there?", failure),
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => new(
            EngineFailure.Unreachable, $"the name {endpoint.Host} cannot be resolved", failure),
        _ => new(EngineFailure.Unreachable, $"no connection to {endpoint}: {failure.Message}", failure),
    };

    private async Task<SslStream> SecureAsync(Stream stream, EngineCertificates own, CancellationToken cancellationToken)
    {
        string? mistrust = null;
        var secure = new SslStream(stream, leaveInnerStreamOpen: false);
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = endpoint.Host,
            ClientCertificateContext = own.Context,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                (mistrust = Mistrust(certificate as X509Certificate2, errors, own)) is null,
        };
        using var limit = new CancellationTokenSource(HandshakeTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await secure.AuthenticateAsClientAsync(options, linked.Token);
            return secure;
        }
        catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw new EngineException(
                EngineFailure.Unreachable, $"the TLS handshake with {endpoint} took longer than {HandshakeTimeout.TotalSeconds} s", failure);
        }
        catch (AuthenticationException failure) when (mistrust is not null)
        {
            throw new EngineException(EngineFailure.Tls, $"{endpoint} is not trusted: {mistrust}", failure);
        }
        catch (Exception failure) when (failure is AuthenticationException or IOException)
        {
            throw TlsErrors.Explain(endpoint, own, failure);
        }
    }

    /// <returns>Why the engine's certificate is not to be trusted; null if it is.</returns>
    private string? Mistrust(X509Certificate2? certificate, SslPolicyErrors errors, EngineCertificates own)
    {
        if (certificate is null)
        {
            return "it showed no certificate";
        }

        using var chain = new X509Chain
        {
            ChainPolicy =
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
                VerificationTime = time.GetUtcNow().UtcDateTime,
            },
        };
        chain.ChainPolicy.CustomTrustStore.AddRange(own.Authorities);
        if (!chain.Build(certificate))
        {
            var now = time.GetUtcNow().UtcDateTime;
            return certificate.NotAfter.ToUniversalTime() < now ? $"its certificate expired on {certificate.NotAfter.ToUniversalTime():u}"
                : certificate.NotBefore.ToUniversalTime() > now ? $"its certificate is valid only from {certificate.NotBefore.ToUniversalTime():u}; is a clock wrong?"
                : $"its certificate is signed by another CA than ca.crt of Secret {own.SecretName} ({certificate.Issuer})";
        }

        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? $"its certificate is not for {endpoint.Host} ({certificate.Subject})"
            : null;
    }
}
