using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Contents;

/// <summary>
/// A wish to run the content of an earlier revision instead of what the ConfigMaps and Secrets hold now: the value of the annotation
/// <see cref="Annotations.Content"/>, <c>REVISION/CONTENT/LIVE</c>, which an undo writes. It holds for this template and against this
/// live content alone: whatever is changed next, the app or its ConfigMap, is what the user wants.
/// </summary>
/// <param name="Revision">The revision to run.</param>
/// <param name="Content">Its content hash; empty where it had none.</param>
/// <param name="Live">The hash of the content it stands in for; empty where there is none.</param>
public sealed record ContentStandIn(string Revision, string Content, string Live)
{
    /// <returns>Null when the app has none, or one that is not of this form.</returns>
    public static ContentStandIn? Of(WebApp app) => Parse(app.Metadata.Annotations?.TryGetValue(Annotations.Content, out var value) == true ? value : null);

    public static ContentStandIn? Parse(string? annotation) =>
        annotation?.Split('/') is [{ Length: > 0 } revision, var content, var live] ? new(revision, content, live) : null;

    /// <summary>Whether it is about this template and this live content.</summary>
    /// <param name="live">Null: none.</param>
    public bool Holds(ReplicaTemplate template, string? live) =>
        Live == (live ?? "") && RevisionHash.Of(template.ToTemplate(HashOrNull)) == Revision;

    /// <summary><see cref="Content"/> as a template has it.</summary>
    public string? HashOrNull => Content.Length == 0 ? null : Content;

    public override string ToString() => $"{Revision}/{Content}/{Live}";
}
