namespace Orchestrator.Proxy.Plain;

/// <summary>What a replica has sent is no answer of HTTP/1.1, or may be read in two ways.</summary>
internal sealed class InvalidAnswerException(string why)
    : HttpRequestException(HttpRequestError.InvalidResponse, $"the replica's answer is not valid: {why}");
