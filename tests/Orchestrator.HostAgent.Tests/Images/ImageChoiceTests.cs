using CsCheck;
using k8s.Models;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Images;

namespace Orchestrator.HostAgent.Tests.Images;

/// <summary>Which images go, by policy, age, room and what refers to them.</summary>
public sealed class ImageChoiceTests
{
    private const long Gibibyte = 1L << 30;
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly ImageGarbageCollection Defaults = new();
    private static readonly DiskUse Full = new(100 * Gibibyte, 86 * Gibibyte);

    [Fact]
    public void By_default_a_week_without_use_is_too_long_and_only_ours_go()
    {
        var images = new[] { Image("old", days: 7), Image("young", days: 6.9), Image("foreign", days: 100, ours: false), Used("used") };

        var removal = Assert.Single(Choose(images, Defaults));

        Assert.Equal(("old", ImageChoice.ByAge, "unused for 7 days"), (removal.Image.Id, removal.Reason, removal.Why));
    }

    [Fact]
    public void What_something_refers_to_stays_for_ever() =>
        Assert.Equal(["b"], Ids(Choose([Image("a", days: 50), Image("b", days: 40)], Defaults, isKept: image => image.Id == "a")));

    [Fact]
    public void On_a_full_disk_those_unused_for_longest_go_until_the_low_threshold_is_met()
    {
        var images = new[] { Image("c", days: 1), Image("a", days: 3), Image("b", days: 2, gibibytes: 4), Used("used", gibibytes: 50) };

        // 86 of 100 are to become 80: 2 and 4 are enough.
        var removals = Choose(images, Defaults, Full);

        Assert.Equal(["a", "b"], Ids(removals));
        Assert.All(removals, removal => Assert.Equal((ImageChoice.ByDisk, "unused, and the disk is 86 % full"), (removal.Reason, removal.Why)));
        Assert.Empty(Choose(images, Defaults, Full with { UsedBytes = 84 * Gibibyte }));
        Assert.Empty(Choose(images, new() { HighThresholdPercent = 100 }, Full));
        Assert.Empty(Choose(images, Defaults, disk: null));
    }

    [Fact]
    public void A_low_threshold_above_the_high_one_counts_as_the_high_one() =>
        Assert.Equal(["a"], Ids(Choose([Image("a", days: 2), Image("b", days: 1)], new() { LowThresholdPercent = 99 }, Full)));

    [Fact]
    public void More_bytes_than_allowed_of_all_images_cost_unused_ones()
    {
        var images = new[] { Image("a", days: 2), Image("b", days: 1), Used("used", gibibytes: 8) };

        var removal = Assert.Single(Choose(images, new() { MaximumBytes = new ResourceQuantity("10Gi") }));

        Assert.Equal(("a", ImageChoice.BySize, "unused, and the images have more than 10Gi bytes"), (removal.Image.Id, removal.Reason, removal.Why));
        Assert.Empty(Choose(images, new() { MaximumBytes = new ResourceQuantity("12Gi") }));
    }

    [Fact]
    public void What_has_just_become_unused_stays_whatever_the_need() => Assert.Equal(
        ["old enough"],
        Ids(Choose([Image("new", days: 119.0 / 86400), Image("old enough", days: 120.0 / 86400)], new() { MaximumBytes = new ResourceQuantity("0") }, Full)));

    [Fact]
    public void Age_can_be_left_out_and_others_images_taken_in()
    {
        var images = new[] { Image("ours", days: 100), Image("foreign", days: 100, ours: false) };

        Assert.Empty(Choose(images, new() { MaximumAgeSeconds = 0 }));
        Assert.Equal(["foreign", "ours"], Ids(Choose(images, new() { IncludeForeign = true })));
    }

    [Fact]
    public void A_clock_that_was_set_back_removes_nothing() =>
        Assert.Empty(Choose([Image("future", days: -30)], new() { MinimumAgeSeconds = 0, MaximumBytes = new ResourceQuantity("0") }, Full));

    /// <summary>Whatever the policy and the need.</summary>
    [Fact]
    public void Never_what_is_used_kept_young_or_foreign_nor_more_than_is_needed() => Gen.Int.Sample(seed =>
    {
        var random = new Random(seed);
        var images = Enumerable.Range(0, random.Next(30))
            .Select(i => random.Next(3) == 0 ? Used($"i{i}") : Image($"i{i}", random.NextDouble() * 20, random.Next(2) == 0, random.Next(1, 5)))
            .ToList();
        var kept = images.Where(_ => random.Next(4) == 0).Select(image => image.Id).ToHashSet();
        var policy = new ImageGarbageCollection
        {
            MinimumAgeSeconds = random.Next(10) * 86400,
            MaximumAgeSeconds = random.Next(20) * 86400,
            HighThresholdPercent = random.Next(1, 101),
            LowThresholdPercent = random.Next(0, 101),
            MaximumBytes = random.Next(2) == 0 ? null : new ResourceQuantity($"{random.Next(60)}Gi"),
            IncludeForeign = random.Next(3) == 0,
        };
        var disk = random.Next(3) == 0 ? null : new DiskUse(100 * Gibibyte, random.Next(101) * Gibibyte);

        var removals = Choose(images, policy, disk, image => kept.Contains(image.Id));

        Assert.Equal(removals.Select(removal => removal.Image.UnusedSince).Order(), removals.Select(removal => removal.Image.UnusedSince));
        var (freed, total) = (0L, images.Sum(image => image.SizeBytes));
        foreach (var removal in removals)
        {
            var age = Now - Assert.NotNull(removal.Image.UnusedSince);
            Assert.DoesNotContain(removal.Image.Id, kept);
            Assert.True(age >= policy.MinimumAge);
            Assert.True(removal.Image.IsOurs || policy.IncludeForeign == true);
            switch (removal.Reason)
            {
                case ImageChoice.ByAge:
                    Assert.True(age >= policy.MaximumAge);
                    break;
                case ImageChoice.ByDisk:
                    Assert.True(disk!.UsedBytes * 100 >= policy.HighThreshold * disk.TotalBytes);
                    Assert.True((disk.UsedBytes - freed) * 100 > policy.LowThreshold * disk.TotalBytes);
                    break;
                default:
                    Assert.True(total - freed > policy.MaximumBytes!.ToDecimal());
                    break;
            }

            freed += removal.Image.SizeBytes;
        }
    });

    private static IReadOnlyList<ImageRemoval> Choose(
        IReadOnlyCollection<ImageOnHost> images, ImageGarbageCollection policy, DiskUse? disk = null, Func<ImageOnHost, bool>? isKept = null) =>
        ImageChoice.Choose(images, policy, disk, isKept ?? (_ => false), Now);

    private static IEnumerable<string> Ids(IEnumerable<ImageRemoval> removals) => removals.Select(removal => removal.Image.Id);

    private static ImageOnHost Image(string id, double days, bool ours = true, int gibibytes = 2) =>
        new(id, [$"r.example.org/{id}:v1"], gibibytes * Gibibyte, Now - TimeSpan.FromDays(days), ours);

    private static ImageOnHost Used(string id, int gibibytes = 2) => new(id, [$"r.example.org/{id}:v1"], gibibytes * Gibibyte, null, true);
}
