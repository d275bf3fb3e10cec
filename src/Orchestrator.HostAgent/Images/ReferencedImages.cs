using k8s;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.HostAgent.Images;

/// <summary>
/// The images that anything of the installation names: what runs, what is asked for, and what an undo may go back to. Shared by
/// all hosts of a process.
/// </summary>
internal sealed class ReferencedImages(SharedInformers informers, ResourceClient<V1ControllerRevision> revisions, TimeProvider time) : IDisposable
{
    /// <summary>All hosts look at about the same time, and history changes seldom.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _turn = new(1);
    private HashSet<string> _kept = [];
    private long? _readAt;

    /// <summary>Normalized names of what WebApps and Replicas ask for now, as far as the informers know.</summary>
    public HashSet<string> Present() =>
    [
        .. informers.WebApps.Items.Values.Select(app => Normalize(app.Spec.Image)),
        .. informers.Replicas.Items.Values.Select(replica => Normalize(replica.Spec.Template.Image)),
    ];

    /// <summary>Normalized names of what is kept for an undo, in all namespaces.</summary>
    /// <exception cref="ApiException">They cannot be listed: nothing is known not to be kept then.</exception>
    /// <exception cref="HttpRequestException">The API server does not answer.</exception>
    public async Task<IReadOnlySet<string>> KeptAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_readAt is null || time.GetElapsedTime(_readAt.Value) > FreshFor)
            {
                // Those that carry our label: a real cluster has others.
                var list = await revisions.ListAsync(null, Labels.App, cancellationToken);
                _kept = [.. list.Items.Select(ImageOf).OfType<string>()];
                _readAt = time.GetTimestamp();
            }

            return _kept;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>What is no reference names no image; it stands for itself.</summary>
    public static string Normalize(string image) => ImageReference.Parse(image)?.Normalized ?? image;

    private static string? ImageOf(V1ControllerRevision entry) =>
        KubernetesJson.Deserialize<RevisionData>(KubernetesJson.Serialize(entry.Data))?.Spec?.Image is { } image ? Normalize(image) : null;
}
