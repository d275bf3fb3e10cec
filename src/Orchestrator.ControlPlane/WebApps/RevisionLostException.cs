using Orchestrator.Api.WebApps;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>A replica of an earlier revision is wanted, and its template is nowhere any more.</summary>
internal sealed class RevisionLostException(WebApp app, string revision) : Exception(
    $"the template of revision {revision} is lost: ControllerRevision {RevisionHistory.NameOf(app, revision)} was removed or changed; "
    + "change the app's template or restore it, and what is asked for is rolled out");

/// <summary>A replica of an earlier revision is wanted, and what its references came to is nowhere any more.</summary>
internal sealed class ContentLostException(WebApp app, string revision) : Exception(
    $"the content of revision {revision} is lost: Secret {RevisionHistory.NameOf(app, revision)} was removed; "
    + "change the app's template or restore it, and what is asked for is rolled out");
