using System.Security.Cryptography;

namespace Orchestrator.ApiServer.Discovery;

/// <summary>The ETag of a document that changes seldom: clients that have it are answered 304.</summary>
public static class EntityTag
{
    /// <returns>The hash in hex: also the <c>hash</c> parameter of OpenAPI v3's URLs.</returns>
    public static string Hash(ReadOnlySpan<byte> document)
    {
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        SHA512.HashData(document, hash);
        return Convert.ToHexString(hash);
    }

    /// <summary>With its quotes, as the header wants it.</summary>
    public static string Of(ReadOnlySpan<byte> document) => $"\"{Hash(document)}\"";

    /// <param name="ifNoneMatch">The request's header; null when there is none.</param>
    public static bool Matches(string? ifNoneMatch, string tag) =>
        ifNoneMatch is not null
        && ifNoneMatch.Split(',', StringSplitOptions.TrimEntries).Any(each => each == "*" || each == tag || each == "W/" + tag);
}
