using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Orchestrator.Runtime.Connections;

namespace Orchestrator.HostAgent.Probing;

/// <summary>Passes when a GET is answered with a status from 200 to 399. A redirect passes and is not followed.</summary>
internal sealed class HttpProber(ProbeScheduler scheduler) : IDisposable
{
    public const string UserAgent = "orchestrator-probe/1";

    /// <summary>As the kubelet: enough that a small answer is read whole and the server sees no broken connection.</summary>
    private const int MaxBody = 10 * 1024;

    private readonly HttpMessageInvoker _client = new(
        new SocketsHttpHandler
        {
            // A connection of its own for each look, as the kubelet does: a pooled one would prove less and hold a file open.
            PooledConnectionLifetime = TimeSpan.Zero,
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = AcceptAny },
            ActivityHeadersPropagator = null,
        });

    public async Task<ProbeOutcome> ProbeAsync(
        ProbeHandler.Http probe, string host, int port, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var (status, failure) = await GetAsync(probe, host, port, timeout, cancellationToken);
        return failure ?? (IsWell(status!.Value) ? ProbeOutcome.Passed : ProbeOutcome.Failed($"HTTP probe failed with statuscode: {status}"));
    }

    public static bool IsWell(int status) => status is >= 200 and < 400;

    /// <returns>The status of the answer, or why there was none.</returns>
    public async Task<(int? Status, ProbeOutcome? Failure)> GetAsync(
        ProbeHandler.Http probe, string host, int port, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new ProbeLimit(scheduler, timeout, cancellationToken);
        try
        {
            using var request = Request(probe, host, port);
            using var response = await _client.SendAsync(request, limit.Token);
            await DrainAsync(response, limit.Token);
            return ((int)response.StatusCode, null);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, ProbeOutcome.Late($"{host}:{port} gave no answer to GET {probe.Path} within {timeout.TotalSeconds} s"));
        }
        catch (HttpRequestException failure) when (OwnShortage.Explains(failure))
        {
            return (null, ProbeOutcome.NoSocket(failure));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or SocketException or UriFormatException or FormatException)
        {
            return (null, ProbeOutcome.Failed($"GET {probe.Path} from {host}:{port}: {Cause(failure)}"));
        }
    }

    public void Dispose() => _client.Dispose();

    public static string Authority(string host, int port) =>
        $"{(host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host)}:{port.ToString(CultureInfo.InvariantCulture)}";

    private static HttpRequestMessage Request(ProbeHandler.Http probe, string host, int port)
    {
        var uri = new Uri($"{(probe.Secure ? "https" : "http")}://{Authority(host, port)}{probe.Path}");
        var request = new HttpRequestMessage(HttpMethod.Get, uri) { Version = HttpVersion.Version11 };
        request.Headers.ConnectionClose = true;
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        request.Headers.Host = probe.Host is { Length: > 0 } asked ? asked : null;
        foreach (var header in probe.Headers.GroupBy(header => header.Name, StringComparer.OrdinalIgnoreCase))
        {
            if (request.Headers.NonValidated.Contains(header.Key))
            {
                request.Headers.Remove(header.Key);
            }

            // Content-Type and the like are the library's to send with a content alone, if an empty one.
            var values = header.Select(one => one.Value);
            if (!request.Headers.TryAddWithoutValidation(header.Key, values))
            {
                (request.Content ??= new ByteArrayContent([])).Headers.TryAddWithoutValidation(header.Key, values);
            }
        }

        return request;
    }

    private static async Task DrainAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[2048];
        for (var total = 0; total < MaxBody;)
        {
            var read = await body.ReadAsync(buffer, cancellationToken);
            if (read == 0)
            {
                return;
            }

            total += read;
        }
    }

    private static string Cause(Exception failure) => (failure.InnerException ?? failure).Message;

    [SuppressMessage("Security", "CA5359", Justification = "A probe asks whether it answers, not who it is; Kubernetes' rule.")]
    private static bool AcceptAny(object sender, object? certificate, object? chain, SslPolicyErrors errors) => true;
}
