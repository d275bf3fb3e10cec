using Orchestrator.Api.DockerHosts;

namespace Orchestrator.HostAgent.Images;

/// <summary>
/// The images of one host that our own pulls brought, at most <see cref="DockerHostStatus.MaxPulledImages"/>. What is not known to be
/// ours never is: a pull whose record was lost in a crash leaves an image that stays.
/// </summary>
internal sealed class PulledImages
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, PulledImage> _images;

    /// <param name="known">Of the host's status.</param>
    public PulledImages(IEnumerable<PulledImage>? known) => _images = (known ?? []).ToDictionary(image => image.Id, Copy);

    /// <summary>The latest first.</summary>
    public IReadOnlyList<PulledImage> Snapshot()
    {
        lock (_gate)
        {
            return
            [
                .. _images.Values
                    .OrderByDescending(image => image.PulledAt)
                    .ThenBy(image => image.Id, StringComparer.Ordinal)
                    .Select(Copy),
            ];
        }
    }

    /// <summary>A pull has ended well.</summary>
    /// <param name="name">What was pulled, normalized.</param>
    /// <param name="isNew">The engine did not have it before.</param>
    public void Add(string id, string name, bool isNew, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_images.TryGetValue(id, out var known))
            {
                known.Names = known.Names.Contains(name) ? known.Names : [.. known.Names, name];

                // Whoever pulled it again means to use it.
                known.UnusedSince = known.UnusedSince is null ? null : Seconds(now);
            }
            else if (isNew)
            {
                // It may be that no container comes of it.
                _images[id] = new PulledImage { Id = id, Names = [name], PulledAt = Seconds(now), UnusedSince = Seconds(now) };
                if (_images.Count > DockerHostStatus.MaxPulledImages)
                {
                    _images.Remove(_images.Values.MinBy(image => image.PulledAt)!.Id);
                }
            }
        }
    }

    /// <summary>What a look at the engine has found.</summary>
    /// <param name="images">Ids of all that are there.</param>
    /// <param name="used">Ids of those that containers are made from.</param>
    /// <param name="lookedAt">When the look began: an image pulled after it is not missed by it.</param>
    /// <returns>Whether that is something new.</returns>
    public bool Take(IReadOnlySet<string> images, IReadOnlySet<string> used, DateTimeOffset lookedAt)
    {
        lock (_gate)
        {
            var changed = false;
            foreach (var image in _images.Values.ToList())
            {
                if (!images.Contains(image.Id))
                {
                    changed |= image.PulledAt < Seconds(lookedAt) && _images.Remove(image.Id);
                    continue;
                }

                DateTime? unusedSince = used.Contains(image.Id) ? null : image.UnusedSince ?? Seconds(lookedAt);
                changed |= unusedSince != image.UnusedSince;
                image.UnusedSince = unusedSince;
            }

            return changed;
        }
    }

    // Whole seconds: the precision of Kubernetes' Time on the wire.
    private static DateTime Seconds(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeSeconds(moment.ToUnixTimeSeconds()).UtcDateTime;

    private static PulledImage Copy(PulledImage image) =>
        new() { Id = image.Id, Names = [.. image.Names], PulledAt = image.PulledAt, UnusedSince = image.UnusedSince };
}
