using Orchestrator.Api.WebApps;

namespace Orchestrator.Api.Tests;

public sealed class CanaryObservationTests
{
    private const string Whole =
        """{"app":"sites/web","revision":"r","since":"2026-01-02T03:04:05Z","stable":{"requests":9,"errors":1,"latencies":[9]},"canary":{"requests":1,"errors":0,"latencies":[]}}""";

    [Fact]
    public void It_is_read_as_it_was_written()
    {
        var seen = Assert.Single(CanaryObservation.Read($"[{Whole}]"));

        Assert.Equal(("sites/web", "r", 9, 1, 1), (seen.App, seen.Revision, seen.Stable.Requests, seen.Stable.Errors, seen.Canary.Requests));
        Assert.Equal($"[{Whole}]", CanaryObservation.Write([seen]));
        Assert.Equal("", CanaryObservation.Write([]));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("no json")]
    [InlineData("null")]
    [InlineData("[null]")]
    [InlineData("""[{"revision":"r"}]""")]
    [InlineData("""[{"app":null,"revision":"r","since":"2026-01-02T03:04:05Z","stable":{"requests":9,"errors":1,"latencies":[]},"canary":{"requests":1,"errors":0,"latencies":[]}}]""")]
    [InlineData("""[{"app":"a/b","revision":"r","since":"2026-01-02T03:04:05Z","stable":{"requests":9,"errors":1,"latencies":null},"canary":{"requests":1,"errors":0,"latencies":[]}}]""")]
    public void What_is_not_whole_is_nothing(string? text) => Assert.Empty(CanaryObservation.Read(text));
}
