using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Commands;

public sealed class AutoscaleTests(ServerFixture server)
{
    private const string Routed = "image: 'web:v1', replicas: 3, route: {}, resources: {requests: {cpu: 100m}}";

    [Fact]
    public async Task What_is_named_is_set_and_the_rest_stays()
    {
        var app = await AppUnderTest.CreateAsync(server, Routed);

        Assert.Equal($"{AppUnderTest.Label} autoscaled\n", await app.OkAsync("autoscale", "web", "--min", "2", "--max", "10", "--cpu", "70", "--in-flight", "8"));
        Assert.Equal($"{AppUnderTest.Label} unchanged\n", await app.OkAsync("autoscale", "web", "--max", "10", "--cpu", "70"));
        Assert.Equal($"{AppUnderTest.Label} autoscaled\n", await app.OkAsync("autoscale", "web", "--max", "20", "--cpu", "60", "--latency", "250"));

        Assert.Equal(
            """{"maxReplicas":20,"metrics":[{"target":{"averageUtilization":60},"type":"cpu"},{"target":{"averageValue":8},"type":"inFlight"},{"target":{"value":250},"type":"latencyP95"}],"minReplicas":2}""",
            GoJson.Write((await app.SpecAsync())["autoscaling"]));
    }

    [Fact]
    public async Task Ended_it_leaves_as_many_as_there_are_to_be()
    {
        var app = await AppUnderTest.CreateAsync(server, Routed);
        Assert.Equal($"{AppUnderTest.Label} unchanged\n", await app.OkAsync("autoscale", "web", "--off"));
        await app.OkAsync("autoscale", "web", "--max", "10", "--requests", "50");
        await app.PatchStatusAsync("wa", "web", new() { ["autoscaling"] = new System.Text.Json.Nodes.JsonObject { ["desiredReplicas"] = 7 } });

        Assert.Equal($"{AppUnderTest.Label} autoscaling ended at 7 replicas\n", await app.OkAsync("autoscale", "web", "--off"));

        var spec = await app.SpecAsync();
        Assert.Equal((7, null), ((int?)spec["replicas"], spec["autoscaling"]));
    }

    [Fact]
    public async Task Who_scales_an_autoscaled_app_is_told_how_that_is_done()
    {
        var app = await AppUnderTest.CreateAsync(server, Routed);
        await app.OkAsync("autoscale", "web", "--min", "2", "--max", "10", "--requests", "50");

        var refused = await app.OrcAsync("scale", "web", "--replicas", "5");

        Assert.Equal(ExitCodes.Failed, refused.ExitCode);
        Assert.Contains(
            $"{AppUnderTest.Label} is autoscaled, from 2 to 10 replicas: change these with `orc autoscale web --min N --max N`, or end it with `orc autoscale web --off`",
            refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Described_each_metric_stands_beside_its_target()
    {
        var app = await AppUnderTest.CreateAsync(server, Routed);
        await app.OkAsync("autoscale", "web", "--max", "10", "--requests", "50", "--cpu", "70", "--latency", "250");
        await app.PatchStatusAsync("wa", "web", System.Text.Json.Nodes.JsonNode.Parse(
            """{"autoscaling":{"desiredReplicas":4,"currentMetrics":[{"type":"requestsPerSecond","current":{"averageValue":"37500m"}},{"type":"cpu","current":{"averageUtilization":64}}]}}""")!.AsObject());

        var text = await app.OkAsync("describe", "wa", "web");

        Assert.Contains("\nAutoscaling: 1 to 10 replicas, 4 now\n", text, StringComparison.Ordinal);
        Assert.Matches(@"\n +cpu +64 % +70 %\n +requestsPerSecond +37\.5 a replica +50 a replica\n +latencyP95 +<unknown> +250 ms\n", text);
    }

    [Theory]
    [InlineData("say what to scale by")]
    [InlineData("--off stands alone", "--off", "--max", "5")]
    [InlineData("--cpu must be greater than 0", "--cpu", "0")]
    [InlineData("say how many replicas there may be at most, with --max", "--in-flight", "8")]
    [InlineData("say by what it is to be, such as --cpu 70 or --in-flight 8", "--max", "8")]
    public async Task What_is_missing_is_told(string problem, params string[] arguments)
    {
        var app = await AppUnderTest.CreateAsync(server, Routed);

        var refused = await app.OrcAsync(["autoscale", "web", .. arguments]);

        Assert.Equal(ExitCodes.Usage, refused.ExitCode);
        Assert.Contains(problem, refused.Errors, StringComparison.Ordinal);
    }
}
