using Microsoft.Extensions.Logging;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Hosts;
using Orchestrator.Runtime.Clients;
using Orchestrator.Runtime.Events;

namespace Orchestrator.HostAgent.Images;

/// <summary>
/// Removes unused images from one host by its policy. Nothing is forced: an engine that finds an image in use after all keeps it.
/// </summary>
internal sealed partial class ImageCollector(
    Func<DockerHost> host,
    PulledImages pulled,
    ImagePuller puller,
    ReferencedImages referenced,
    IEventRecorder events,
    Action onChanged,
    Random random,
    ILogger logger,
    TimeProvider time)
{
    /// <summary>Reason of the Event on the DockerHost.</summary>
    internal const string RemovedImage = "RemovedImage";

    /// <summary>The kubelet's.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    /// <summary>Since when somebody else's image is unused. Not kept beyond this process: its age begins anew with the next.</summary>
    private readonly Dictionary<string, DateTimeOffset> _foreign = [];

    private string HostName => host().Metadata.Name;

    /// <summary>Works until cancelled.</summary>
    /// <param name="session">Null while the engine cannot be reached.</param>
    public async Task RunAsync(Func<EngineSession?> session, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Hosts are not to be looked over all at the same moment.
            await Task.Delay(Period * (0.8 + (0.4 * random.NextDouble())), time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            if (session() is not { } reachable)
            {
                continue;
            }

            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, reachable.Ended);
            try
            {
                await CollectAsync(reachable.Engine, either.Token);
            }
            catch (OperationCanceledException) when (either.IsCancellationRequested)
            {
                // The next session's turn comes.
            }
            catch (Exception failure)
            {
                Log.Failed(logger, failure, HostName);
            }
        }
    }

    /// <summary>One look at the host's images, and the removal of those that are to go.</summary>
    /// <exception cref="EngineException">The engine did not say what is there.</exception>
    /// <exception cref="ApiException">It is not known what is kept for an undo: nothing was removed.</exception>
    /// <exception cref="HttpRequestException">The same: the API server does not answer.</exception>
    internal async Task CollectAsync(IEngine engine, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var policy = host().Spec.ImageGarbageCollection ?? new ImageGarbageCollection();

        // Containers after images: one that was made in between is seen.
        var listed = await engine.ListImagesAsync(cancellationToken);
        var used = await engine.ListUsedImagesAsync(cancellationToken);
        if (pulled.Take(listed.Select(image => image.Id).ToHashSet(), used, now))
        {
            onChanged();
        }

        var images = Describe(listed, used, now);
        var disk = engine.Disk();
        var present = referenced.Present();
        if (ImageChoice.Choose(images, policy, disk, image => IsNamed(image, present), now).Count == 0)
        {
            // Mostly: history need not be read.
            return;
        }

        var kept = await referenced.KeptAsync(cancellationToken);
        foreach (var removal in ImageChoice.Choose(images, policy, disk, image => IsNamed(image, present) || image.Names.Any(kept.Contains), now))
        {
            await RemoveAsync(engine, removal, cancellationToken);
        }
    }

    private async Task RemoveAsync(IEngine engine, ImageRemoval removal, CancellationToken cancellationToken)
    {
        var image = removal.Image;
        if (IsNamed(image, referenced.Present()))
        {
            // Somebody has asked for it since.
            return;
        }

        try
        {
            if (!await engine.RemoveImageAsync(image.Id, image.Names, cancellationToken))
            {
                return;
            }
        }
        catch (EngineException failure) when (!failure.IsTransport)
        {
            Log.Stays(logger, NameOf(image), HostName, failure.Message);
            return;
        }

        ImageMetrics.Removed.WithLabels(HostName, removal.Reason).Inc();
        events.Record(host(), EventTypes.Normal, RemovedImage, $"Removed image {NameOf(image)}: {removal.Why}");
        onChanged();
    }

    private bool IsNamed(ImageOnHost image, HashSet<string> present) => image.Names.Any(name => present.Contains(name) || puller.IsPulling(name));

    private List<ImageOnHost> Describe(IReadOnlyList<ListedImage> listed, IReadOnlySet<string> used, DateTimeOffset now)
    {
        var ours = pulled.Snapshot().ToDictionary(image => image.Id);
        foreach (var gone in _foreign.Keys.Where(id => used.Contains(id) || ours.ContainsKey(id)).ToList())
        {
            _foreign.Remove(gone);
        }

        var images = new List<ImageOnHost>();
        foreach (var image in listed)
        {
            var tags = image.Tags.Select(ReferencedImages.Normalize).ToList();
            var known = ours.GetValueOrDefault(image.Id);
            var isOurs = known is not null && tags.TrueForAll(known.Names.Contains);
            if (known is null && !used.Contains(image.Id))
            {
                _foreign.TryAdd(image.Id, now);
            }

            DateTimeOffset? unusedSince = used.Contains(image.Id) ? null
                : known?.UnusedSince is { } since ? new DateTimeOffset(DateTime.SpecifyKind(since, DateTimeKind.Utc))
                : known is null ? _foreign[image.Id] : now;
            images.Add(new ImageOnHost(image.Id, [.. tags, .. image.Digests.Select(ReferencedImages.Normalize)], image.SizeBytes, unusedSince, isOurs));
        }

        foreach (var gone in _foreign.Keys.Except(listed.Select(image => image.Id)).ToList())
        {
            _foreign.Remove(gone);
        }

        return images;
    }

    private static string NameOf(ImageOnHost image) => image.Names.Count > 0 ? image.Names[0] : image.Id;

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Host {Host}: its unused images were not looked over; it is tried again")]
        public static partial void Failed(ILogger logger, Exception failure, string host);

        [LoggerMessage(Level = LogLevel.Information, Message = "Image {Image} stays on host {Host}: {Reason}")]
        public static partial void Stays(ILogger logger, string image, string host, string reason);
    }
}
