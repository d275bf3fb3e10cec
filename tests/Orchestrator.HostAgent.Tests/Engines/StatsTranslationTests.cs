using Docker.DotNet.Models;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Tests.Engines;

public sealed class StatsTranslationTests
{
    private static readonly DateTime Read = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    /// <summary>The page cache that would go first is not counted, under the name that either version of cgroups has for it.</summary>
    [Theory]
    [InlineData("inactive_file", 30, 70)]
    [InlineData("total_inactive_file", 30, 70)]
    [InlineData("inactive_file", 100, 100)]
    [InlineData("inactive_file", 200, 100)]
    [InlineData("active_file", 30, 100)]
    public void Memory_is_counted_as_the_docker_CLI_counts(string name, ulong cache, long bytes)
    {
        var sample = StatsTranslation.Sample(Answer(new Dictionary<string, ulong> { [name] = cache }));

        Assert.Equal((bytes, 5ul, new DateTimeOffset(Read)), (sample!.MemoryBytes, sample.CpuNanoseconds, sample.Time));
    }

    [Fact]
    public void With_cgroups_of_version_1_the_name_of_version_2_is_of_the_own_group_alone() =>
        Assert.Equal(60, StatsTranslation.Sample(Answer(new() { ["inactive_file"] = 10, ["total_inactive_file"] = 40 }))!.MemoryBytes);

    [Fact]
    public void A_container_that_does_not_run_has_no_sample() =>
        Assert.Null(StatsTranslation.Sample(new ContainerStatsResponse { CPUStats = new CPUStats { CPUUsage = new CPUUsage() } }));

    private static ContainerStatsResponse Answer(Dictionary<string, ulong> memory) => new()
    {
        Read = Read,
        CPUStats = new CPUStats { CPUUsage = new CPUUsage { TotalUsage = 5 } },
        MemoryStats = new MemoryStats { Usage = 100, Stats = memory },
    };
}
