using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>One field of a template at a time: what is asked for changes, and nothing else.</summary>
public sealed class SetTests(ServerFixture server)
{
    [Fact]
    public async Task An_image_is_set_once()
    {
        var app = await AppUnderTest.CreateAsync(server);

        Assert.Equal($"{AppUnderTest.Label} image updated\n", await app.OkAsync("set", "image", "web", "web:v2"));
        var generation = (long?)(await app.ReadAsync())["metadata"]!["generation"];
        Assert.Equal($"{AppUnderTest.Label} unchanged\n", await app.OkAsync("set", "image", "wa/web", "web:v2"));

        var live = await app.ReadAsync();
        Assert.Equal(("web:v2", 3), ((string?)live["spec"]!["image"], (int?)live["spec"]!["replicas"]));
        Assert.Equal(generation, (long?)live["metadata"]!["generation"]);
    }

    [Fact]
    public async Task Variables_are_set_and_removed_in_their_places()
    {
        var app = await AppUnderTest.CreateAsync(server, "image: 'web:v1', env: [{name: A, value: '1'}, {name: B, value: '2'}, {name: C, value: '3'}]");

        Assert.Equal($"{AppUnderTest.Label} env updated\n", await app.OkAsync("set", "env", "web", "C=a=b", "D=", "A-", "NONE-"));

        Assert.Equal("B=2\nC=a=b\nD=\n", await app.OkAsync("set", "env", "web", "--list"));
        Assert.Equal($"{AppUnderTest.Label} unchanged\n", await app.OkAsync("set", "env", "web", "B=2", "A-"));
    }

    [Fact]
    public async Task Taking_back_what_was_set_is_the_revision_before()
    {
        var app = await AppUnderTest.CreateAsync(server, "image: 'web:v1'");
        var before = (Revision: await app.RevisionAsync(), Spec: GoJson.Write(await app.SpecAsync()));

        await app.OkAsync("set", "env", "web", "A=1");
        await app.OkAsync("set", "resources", "web", "--requests", "cpu=100m,memory=64Mi", "--limits", "memory=256Mi");
        Assert.NotEqual(before.Revision, await app.RevisionAsync());
        await app.OkAsync("set", "env", "web", "A-");
        await app.OkAsync("set", "resources", "web", "--requests", "cpu=,memory=", "--limits", "memory=");

        Assert.Equal(before, (await app.RevisionAsync(), GoJson.Write(await app.SpecAsync())));
    }

    [Fact]
    public async Task Resources_that_are_not_named_stay()
    {
        var app = await AppUnderTest.CreateAsync(server, "image: 'web:v1', resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: '1'}}");

        Assert.Equal($"{AppUnderTest.Label} resources updated\n", await app.OkAsync("set", "resources", "web", "--requests", "cpu=", "--limits", "memory=1Gi"));

        Assert.Equal("""{"limits":{"cpu":"1","memory":"1Gi"},"requests":{"memory":"64Mi"}}""", GoJson.Write((await app.SpecAsync())["resources"]));
    }

    [Fact]
    public async Task A_dry_run_stores_nothing()
    {
        var app = await AppUnderTest.CreateAsync(server);

        Assert.Equal($"{AppUnderTest.Label} image updated (server dry run)\n", await app.OkAsync("set", "image", "web", "web:v2", "--dry-run=server"));

        Assert.Equal("web:v1", (string?)(await app.SpecAsync())["image"]);
    }

    [Theory]
    [InlineData(ExitCodes.Failed, "spec.image", "image", "web", "no image")]
    [InlineData(ExitCodes.Failed, "spec.env", "env", "web", "1=2")]
    [InlineData(ExitCodes.Failed, "spec.resources.limits.cpu", "resources", "web", "--limits", "cpu=much")]
    [InlineData(ExitCodes.Failed, "spec.resources.limits.disk", "resources", "web", "--limits", "disk=1Gi")]
    public async Task The_server_checks_what_is_set(int exitCode, string says, params string[] arguments)
    {
        var app = await AppUnderTest.CreateAsync(server);

        var refused = await app.OrcAsync(["set", .. arguments]);

        Assert.Equal((exitCode, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(says, refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_for_what_was_set_is_waiting_for_its_rollout()
    {
        var app = await AppUnderTest.CreateAsync(server);
        await app.ObserveAsync(AppUnderTest.Complete(await app.RevisionAsync()));

        var late = await app.OrcAsync("set", "image", "web", "web:v2", "--wait", "--timeout", "300ms");

        Assert.Equal(ExitCodes.TimedOut, late.ExitCode);
        Assert.Contains("the controller has not seen it yet", late.Errors, StringComparison.Ordinal);
    }
}
