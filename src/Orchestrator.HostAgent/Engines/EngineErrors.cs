using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Docker.DotNet;

namespace Orchestrator.HostAgent.Engines;

/// <summary>Turns whatever Docker.DotNet throws into an <see cref="EngineException"/>.</summary>
internal static class EngineErrors
{
    /// <summary>
    /// Characters of an engine's own words. What is decided by them stands within the first few hundred; a status takes no more
    /// than 32 KiB.
    /// </summary>
    public const int MaxLength = 1000;

    // What Go's HTTP server answers on a TLS port; a 400 with no JSON in it.
    private const string PlainRequestToTlsServer = "HTTP request to an HTTPS server";

    /// <returns>Null for what is no failure of the engine: the caller gave up, or a defect of ours.</returns>
    public static EngineException? Classify(Exception failure, EngineDialer dialer, EngineCertificates? certificates) => failure switch
    {
        EngineException known => known,
        DockerApiException answered => FromAnswer(answered, dialer.Endpoint),
        HttpRequestException or IOException or AggregateException or SocketException => FromTransport(failure, dialer, certificates),
        JsonException malformed => new(
            EngineFailure.Failed, $"{dialer.Endpoint} answered with something that is not Docker's: {PrintableLine.Of(malformed.Message, MaxLength)}", malformed),
        _ => null,
    };

    private static EngineException FromAnswer(DockerApiException failure, EngineEndpoint endpoint)
    {
        var message = MessageOf(failure, endpoint);
        return failure.StatusCode switch
        {
            HttpStatusCode.BadRequest when failure.ResponseBody?.Contains(PlainRequestToTlsServer, StringComparison.Ordinal) == true => new(
                EngineFailure.Tls, $"{endpoint} speaks TLS: set spec.tlsSecretName to a Secret with ca.crt, tls.crt and tls.key", failure),
            HttpStatusCode.BadRequest when message.Contains("client version", StringComparison.Ordinal) => new(
                EngineFailure.Incompatible, message, failure),
            HttpStatusCode.NotFound => new(EngineFailure.NotFound, message, failure),
            HttpStatusCode.Conflict => new(EngineFailure.Conflict, message, failure),
            < HttpStatusCode.InternalServerError => new(EngineFailure.Rejected, message, failure),
            _ => new(EngineFailure.Failed, message, failure),
        };
    }

    private static EngineException FromTransport(Exception failure, EngineDialer dialer, EngineCertificates? certificates)
    {
        for (Exception? at = failure; at is not null; at = at.InnerException)
        {
            if (at is EngineException known)
            {
                return new EngineException(known.Failure, known.Message, failure);
            }
        }

        return dialer.UsesTls && TlsErrors.IsAlert(failure)
            ? new EngineException(EngineFailure.Tls, TlsErrors.Refusal(dialer.Endpoint, certificates), failure)
            : new EngineException(EngineFailure.Interrupted, $"the connection to {dialer.Endpoint} was lost", failure);
    }

    private static string MessageOf(DockerApiException failure, EngineEndpoint endpoint)
    {
        if (string.IsNullOrWhiteSpace(failure.ResponseBody))
        {
            return "the engine gave no reason";
        }

        try
        {
            using var answer = JsonDocument.Parse(failure.ResponseBody);
            if (answer.RootElement.ValueKind == JsonValueKind.Object
                && answer.RootElement.TryGetProperty("message", out var message)
                && message.ValueKind == JsonValueKind.String)
            {
                return PrintableLine.Of(message.GetString()!, MaxLength) ?? "the engine gave no reason";
            }
        }
        catch (JsonException)
        {
            // Of a proxy in between, or of something that is no engine at all: often a page of HTML.
        }

        return $"{endpoint} answered {(int)failure.StatusCode} with something that is not Docker's";
    }
}
