using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Images;

namespace Orchestrator.HostAgent.Tests.Images;

/// <summary>Which images are ours, and since when nobody uses them.</summary>
public sealed class PulledImagesTests
{
    private static readonly DateTimeOffset Start = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_was_there_before_our_pull_is_not_ours()
    {
        var images = new PulledImages(null);
        images.Add("theirs", "r.example.org/web:v1", isNew: false, Start);
        images.Add("ours", "r.example.org/web:v2", isNew: true, Start);

        // Another name of what is ours already.
        images.Add("ours", "r.example.org/web:latest", isNew: false, Start);

        var image = Assert.Single(images.Snapshot());
        Assert.Equal(("ours", 2, Start.UtcDateTime), (image.Id, image.Names.Count, image.UnusedSince));
    }

    [Fact]
    public void Since_when_it_is_unused_outlives_the_agent_and_ends_with_use()
    {
        var images = new PulledImages(null);
        images.Add("i", "r.example.org/web:v1", isNew: true, Start);
        Assert.True(images.Take(Set("i"), Set("i"), Start.AddMinutes(1)));
        Assert.Null(images.Snapshot()[0].UnusedSince);
        Assert.True(images.Take(Set("i"), Set(), Start.AddMinutes(2)));

        var next = new PulledImages(images.Snapshot());
        Assert.False(next.Take(Set("i"), Set(), Start.AddMinutes(30)));

        Assert.Equal(Start.AddMinutes(2).UtcDateTime, next.Snapshot()[0].UnusedSince);
    }

    [Fact]
    public void What_is_gone_is_forgotten_but_not_what_came_during_the_look()
    {
        var images = new PulledImages(null);
        images.Add("gone", "r.example.org/web:v1", isNew: true, Start);
        images.Add("new", "r.example.org/web:v2", isNew: true, Start.AddMinutes(5));

        Assert.True(images.Take(Set(), Set(), Start.AddMinutes(5)));

        Assert.Equal("new", Assert.Single(images.Snapshot()).Id);
    }

    [Fact]
    public void The_oldest_fall_off_the_end()
    {
        var images = new PulledImages(null);
        for (var i = 0; i <= DockerHostStatus.MaxPulledImages; i++)
        {
            images.Add($"i{i}", "r.example.org/web:v1", isNew: true, Start.AddSeconds(i));
        }

        var kept = images.Snapshot();

        Assert.Equal((DockerHostStatus.MaxPulledImages, $"i{DockerHostStatus.MaxPulledImages}", "i1"), (kept.Count, kept[0].Id, kept[^1].Id));
    }

    private static HashSet<string> Set(params string[] ids) => [.. ids];
}
