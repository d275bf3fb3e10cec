using Orchestrator.Api;

namespace Orchestrator.ControlPlane.Scheduling;

internal static class ImageNames
{
    /// <summary>So that <c>nginx</c> in a manifest and <c>docker.io/library/nginx:latest</c> on a host are the same.</summary>
    public static string Normalize(string name) => ImageReference.Parse(name) is { } image
        ? $"{image.Registry}/{image.Repository}{(image.Tag is null ? "" : ":" + image.Tag)}{(image.Digest is null ? "" : "@" + image.Digest)}"
        : name;
}
