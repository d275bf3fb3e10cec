using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Orchestrator.Runtime.Connections;

namespace Orchestrator.HostAgent.Probing;

/// <summary>
/// Passes when grpc.health.v1.Health/Check answers SERVING. By hand over the framework's HTTP/2: the protocol is one message of one
/// field each way (docs/design/host-agent.md, Probes).
/// </summary>
internal static class GrpcProber
{
    private const string Method = "/grpc.health.v1.Health/Check";

    /// <summary>Bytes of an answer that are read. A health answer has two.</summary>
    private const int MaxAnswer = 4096;

    /// <summary>Characters of the server's own words that are told.</summary>
    private const int MaxMessage = 200;

    /// <summary>Of a gRPC message: a byte that says whether it is compressed, four of its length.</summary>
    private const int Prefix = 5;

    /// <summary>ServingStatus of grpc/health/v1/health.proto.</summary>
    private static readonly string[] Servings = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

    /// <summary>google.rpc.Code, by number.</summary>
    private static readonly string[] Codes =
    [
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED",
    ];

    public static async Task<ProbeOutcome> ProbeAsync(
        ProbeHandler.Grpc probe, string host, int port, TimeSpan timeout, ProbeScheduler scheduler, CancellationToken cancellationToken)
    {
        using var limit = new ProbeLimit(scheduler, timeout, cancellationToken);
        try
        {
            // A connection of its own for each look, as the kubelet does. A pool would keep an HTTP/2 connection, and share it
            // between looks.
            using var client = new HttpMessageInvoker(new SocketsHttpHandler { UseCookies = false, UseProxy = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null });
            using var request = Request(probe.Service, host, port, timeout);
            using var response = await client.SendAsync(request, limit.Token);
            var answer = await ReadAsync(response, limit.Token);
            return Judge(response, answer, probe.Service);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ProbeOutcome.Late($"{host}:{port} gave no answer to the gRPC health check within {timeout.TotalSeconds} s");
        }
        catch (HttpRequestException failure) when (OwnShortage.Explains(failure))
        {
            return ProbeOutcome.NoSocket(failure);
        }
        catch (HttpRequestException failure) when (failure.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError)
        {
            return ProbeOutcome.Failed($"no connection to {host}:{port} for the gRPC health check: {Cause(failure)}");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return ProbeOutcome.Failed($"{host}:{port} does not speak gRPC (HTTP/2 without TLS): {Cause(failure)}");
        }
    }

    private static HttpRequestMessage Request(string service, string host, int port, TimeSpan timeout)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"http://{HttpProber.Authority(host, port)}{Method}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Message(service)) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
        };
        request.Headers.TryAddWithoutValidation("TE", "trailers");
        request.Headers.TryAddWithoutValidation("User-Agent", HttpProber.UserAgent);
        request.Headers.TryAddWithoutValidation("grpc-timeout", $"{((long)timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture)}m");
        return request;
    }

    /// <summary>HealthCheckRequest with its one field, <c>string service = 1</c>.</summary>
    private static byte[] Message(string service)
    {
        var name = Encoding.UTF8.GetBytes(service);
        using var message = new MemoryStream();
        message.Write(stackalloc byte[Prefix]);
        if (name.Length > 0)
        {
            message.WriteByte((1 << 3) | 2);
            for (var left = (uint)name.Length; ; left >>= 7)
            {
                message.WriteByte((byte)(left < 0x80 ? left : (left & 0x7F) | 0x80));
                if (left < 0x80)
                {
                    break;
                }
            }

            message.Write(name);
        }

        var bytes = message.ToArray();
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(1), (uint)(bytes.Length - Prefix));
        return bytes;
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaxAnswer];
        var length = 0;
        while (length < buffer.Length && await body.ReadAsync(buffer.AsMemory(length), cancellationToken) is > 0 and var read)
        {
            length += read;
        }

        return buffer[..length];
    }

    private static ProbeOutcome Judge(HttpResponseMessage response, byte[] answer, string service)
    {
        var about = service.Length == 0 ? "the server" : $"service \"{service}\"";
        if (Trailer(response, "grpc-status") is not { } status)
        {
            return ProbeOutcome.Failed($"the health check of {about} was answered with HTTP status {(int)response.StatusCode} and no grpc-status: no gRPC server");
        }

        if (status != "0")
        {
            var code = int.TryParse(status, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < Codes.Length ? Codes[number] : status;
            var message = Trailer(response, "grpc-message") is { Length: > 0 } said ? $": {Engines.PrintableLine.Of(Uri.UnescapeDataString(said), MaxMessage)}" : "";
            return ProbeOutcome.Failed(code switch
            {
                "UNIMPLEMENTED" => $"the server does not implement grpc.health.v1.Health (UNIMPLEMENTED{message})",
                "NOT_FOUND" => $"the server knows no {about} (NOT_FOUND{message})",
                _ => $"the health check of {about} failed with {code}{message}",
            });
        }

        return ServingOf(answer) switch
        {
            1 => ProbeOutcome.Passed,
            { } serving => ProbeOutcome.Failed($"{about} is {(serving < (ulong)Servings.Length ? Servings[serving] : serving.ToString(CultureInfo.InvariantCulture))}"),
            null => ProbeOutcome.Failed($"the health check of {about} was answered with something else than a HealthCheckResponse"),
        };
    }

    // A server that answers with an error only sends its trailers as headers.
    private static string? Trailer(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var values) || response.Headers.TryGetValues(name, out values) ? values.FirstOrDefault() : null;

    /// <returns>The field <c>status = 1</c> of a HealthCheckResponse, 0 if it is left out; null if it is none.</returns>
    private static ulong? ServingOf(ReadOnlySpan<byte> answer)
    {
        if (answer.Length < Prefix || answer[0] != 0 || BinaryPrimitives.ReadUInt32BigEndian(answer[1..]) != answer.Length - Prefix)
        {
            return null;
        }

        var rest = answer[Prefix..];
        ulong serving = 0;
        while (!rest.IsEmpty)
        {
            if (TakeVarint(ref rest) is not { } tag || TakeVarint(ref rest) is not { } value)
            {
                return null;
            }

            switch (tag)
            {
                case 1 << 3:
                    serving = value;
                    break;
                case var other when (other & 7) == 2 && value <= (ulong)rest.Length:
                    rest = rest[(int)value..];
                    break;
                case var other when (other & 7) != 0:
                    return null;
            }
        }

        return serving;
    }

    private static ulong? TakeVarint(ref ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        for (var i = 0; i < bytes.Length && i < 10; i++)
        {
            value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
            if (bytes[i] < 0x80)
            {
                bytes = bytes[(i + 1)..];
                return value;
            }
        }

        return null;
    }

    private static string Cause(Exception failure) => failure.GetBaseException().Message;
}
