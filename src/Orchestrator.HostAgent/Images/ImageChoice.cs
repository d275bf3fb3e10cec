using System.Globalization;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;

namespace Orchestrator.HostAgent.Images;

/// <summary>An image on a host, with what decides whether it stays.</summary>
/// <param name="Names">Tags and digests, normalized.</param>
/// <param name="UnusedSince">Null while a container is made from it.</param>
/// <param name="IsOurs">Our pull brought it, and it has no name that we did not give it.</param>
internal sealed record ImageOnHost(string Id, IReadOnlyList<string> Names, long SizeBytes, DateTimeOffset? UnusedSince, bool IsOurs);

/// <summary>The disk with an engine's data.</summary>
internal sealed record DiskUse(long TotalBytes, long UsedBytes);

/// <summary>An image that is to go.</summary>
/// <param name="Reason">For metrics: <c>age</c>, <c>disk</c> or <c>size</c>.</param>
/// <param name="Why">For people, as a part of a sentence.</param>
internal sealed record ImageRemoval(ImageOnHost Image, string Reason, string Why);

/// <summary>Which images of a host are to go, by its policy. Pure.</summary>
internal static class ImageChoice
{
    public const string ByAge = "age";
    public const string ByDisk = "disk";
    public const string BySize = "size";

    /// <param name="images">All of the host, so that their size can be told.</param>
    /// <param name="disk">Null when it is not known.</param>
    /// <param name="isKept">Whether something refers to the image.</param>
    /// <returns>In the order to remove them: unused for longest first.</returns>
    public static IReadOnlyList<ImageRemoval> Choose(
        IReadOnlyCollection<ImageOnHost> images, ImageGarbageCollection policy, DiskUse? disk, Func<ImageOnHost, bool> isKept, DateTimeOffset now)
    {
        var (overDisk, overSize) = (OverDisk(policy, disk), OverSize(policy, images));
        var removals = new List<ImageRemoval>();
        foreach (var image in images
            .Where(image => MayGo(image, policy, now) && !isKept(image))
            .OrderBy(image => image.UnusedSince)
            .ThenBy(image => image.Id, StringComparer.Ordinal))
        {
            var age = now - image.UnusedSince!.Value;
            if (policy.MaximumAge is { } maximum && age >= maximum)
            {
                removals.Add(new(image, ByAge, $"unused for {Days(age)}"));
            }
            else if (overDisk > 0)
            {
                removals.Add(new(image, ByDisk, $"unused, and the disk is {Percent(disk!)} % full"));
            }
            else if (overSize > 0)
            {
                removals.Add(new(image, BySize, $"unused, and the images have more than {policy.MaximumBytes} bytes"));
            }
            else
            {
                continue;
            }

            (overDisk, overSize) = (overDisk - image.SizeBytes, overSize - image.SizeBytes);
        }

        return removals;
    }

    private static bool MayGo(ImageOnHost image, ImageGarbageCollection policy, DateTimeOffset now) =>
        image.UnusedSince is { } since && now - since >= policy.MinimumAge && (image.IsOurs || (policy.IncludeForeign ?? false));

    /// <summary>Bytes to free; what layers are shared with images that stay frees less, and the next look finds that.</summary>
    private static decimal OverDisk(ImageGarbageCollection policy, DiskUse? disk) =>
        disk is { TotalBytes: > 0 } && policy.HighThreshold is { } high && Percent(disk) >= high
            ? disk.UsedBytes - (disk.TotalBytes * (decimal)policy.LowThreshold / 100)
            : 0;

    private static decimal OverSize(ImageGarbageCollection policy, IReadOnlyCollection<ImageOnHost> images) =>
        Quantities.Read(policy.MaximumBytes) is { } maximum ? images.Sum(image => (decimal)image.SizeBytes) - maximum : 0;

    private static int Percent(DiskUse disk) => (int)((decimal)disk.UsedBytes / disk.TotalBytes * 100);

    private static string Days(TimeSpan age) => age.TotalDays >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{age.TotalDays:0.#} days")
        : string.Create(CultureInfo.InvariantCulture, $"{age.TotalMinutes:0} minutes");
}
