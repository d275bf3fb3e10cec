using System.Text.RegularExpressions;

namespace Orchestrator.Api;

/// <summary>
/// A parsed image reference, normalized as Docker does: <c>nginx</c> is <c>docker.io/library/nginx:latest</c>. Grammar: the
/// distribution project's <c>reference</c> package.
/// </summary>
public sealed partial record ImageReference(string Registry, string Repository, string? Tag, string? Digest)
{
    private const string DefaultRegistry = "docker.io";

    /// <summary>
    /// The grammar as one expression; <c>crds/*.yaml</c> carry the same one as <c>pattern</c>. The first component is a registry
    /// if it has a dot or a port or is <c>localhost</c>.
    /// </summary>
    public const string Pattern =
        "^(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]+)?/)?[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*)*"
        + "(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[a-f0-9]{64})?$";

    /// <returns>Null when the text is not an image reference.</returns>
    public static ImageReference? Parse(string text)
    {
        if (text.Length > 512 || !Grammar().IsMatch(text))
        {
            return null;
        }

        string? digest = null, tag = null;
        var rest = text;
        if (rest.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at)
        {
            (rest, digest) = (rest[..at], rest[(at + 1)..]);
        }

        if (rest.LastIndexOf(':') is >= 0 and var colon && colon > rest.LastIndexOf('/'))
        {
            (rest, tag) = (rest[..colon], rest[(colon + 1)..]);
        }

        var (registry, repository) = (DefaultRegistry, rest);
        if (rest.IndexOf('/', StringComparison.Ordinal) is >= 0 and var slash && LooksLikeRegistry(rest[..slash]))
        {
            (registry, repository) = (rest[..slash], rest[(slash + 1)..]);
        }

        if (registry == DefaultRegistry && !repository.Contains('/', StringComparison.Ordinal))
        {
            repository = "library/" + repository;
        }

        return new ImageReference(registry, repository, tag ?? (digest is null ? "latest" : null), digest);
    }

    /// <summary>What an engine is asked for: <c>registry/repository:tag</c>, or <c>registry/repository@digest</c> where there is a digest.</summary>
    public string Normalized => Digest is null ? $"{Registry}/{Repository}:{Tag}" : $"{Registry}/{Repository}@{Digest}";

    private static bool LooksLikeRegistry(string component) =>
        component == "localhost" || component.Contains('.', StringComparison.Ordinal) || component.Contains(':', StringComparison.Ordinal);

    [GeneratedRegex(Pattern, RegexOptions.CultureInvariant)]
    private static partial Regex Grammar();
}
