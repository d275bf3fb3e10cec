using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>What <c>hosts drain</c> writes, and what it says of what is left.</summary>
public sealed class HostsDrainTests(ServerFixture server)
{
    [Fact]
    public async Task A_host_that_carries_nothing_is_drained_at_once_until_it_is_uncordoned()
    {
        var (app, host) = await AppAndHostAsync();

        Assert.Equal($"dockerhost.orchestrator.dev/{host} draining\ndockerhost.orchestrator.dev/{host} drained\n", await OkAsync("hosts", "drain", host));
        Assert.Equal((null, true), await MarksAsync(host));
        var told = JsonNode.Parse(await app.OkAsync("explain-placement", "web", "-o", "json"))!["hosts"]!.AsArray();
        Assert.Equal("being drained", (string?)told.Single(one => (string?)one!["name"] == host)!["whyNot"]![0]);

        await OkAsync("hosts", "uncordon", host);
        Assert.Equal((null, null), await MarksAsync(host));
    }

    [Fact]
    public async Task What_fits_nowhere_else_is_told_with_the_reason_when_the_time_is_up()
    {
        var (app, host) = await AppAndHostAsync();
        await ReplicaAsync(app, "web-1", host);
        await ReplicaAsync(app, "web-2", null);
        await app.PatchStatusAsync("replica", "web-2", new()
        {
            ["conditions"] = new JsonArray(AppUnderTest.Condition("Scheduled", false, "Unschedulable", "0/3 hosts: 2 insufficient memory, 1 being drained")),
        });

        await TimesOutAsync(host, $"1 replica left: {app.Space}/web 1 (fits nowhere: 0/3 hosts: 2 insufficient memory, 1 being drained); it goes on by itself, `orc hosts uncordon` ends it");
        Assert.Equal((null, true), await MarksAsync(host));
    }

    [Fact]
    public async Task Limits_that_let_nothing_move_are_told()
    {
        var (app, host) = await AppAndHostAsync("image: 'web:v1', replicas: 1, disruption: {minAvailable: 1}, strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 1}}");
        await ReplicaAsync(app, "web-1", host);

        await TimesOutAsync(host, $"1 replica left: {app.Space}/web 1 (spec.disruption lets none of its replicas be missing, and spec.strategy.rollingUpdate.maxSurge none");
    }

    [Fact]
    public async Task A_replica_of_no_app_is_left_to_the_user()
    {
        var (app, host) = await AppAndHostAsync();
        await ReplicaAsync(app, "stray-1", host, owned: false);

        await TimesOutAsync(host, $"stray-1 belongs to no app; `orc delete replica stray-1 -n {app.Space}` removes it");
    }

    [Fact]
    public async Task It_ends_when_the_host_is_uncordoned_meanwhile()
    {
        var (app, host) = await AppAndHostAsync();
        await ReplicaAsync(app, "web-1", host);
        var draining = server.OrcAsync(["hosts", "drain", host, "--timeout", "60s"]);
        await Eventually.See(() => MarksAsync(host), marks => marks.Drain == true);

        await OkAsync("hosts", "uncordon", host);

        var ended = await draining;
        Assert.Equal(ExitCodes.Failed, ended.ExitCode);
        Assert.Contains($"dockerhost.orchestrator.dev/{host} was uncordoned while it was waited for", ended.Errors, StringComparison.Ordinal);
    }

    private async Task TimesOutAsync(string host, string told)
    {
        var late = await server.OrcAsync(["hosts", "drain", host, "--timeout", "3s"]);
        Assert.Equal(ExitCodes.TimedOut, late.ExitCode);
        Assert.Contains(told, late.Errors, StringComparison.Ordinal);
    }

    private async Task<string> OkAsync(params string[] arguments) => (await server.OrcAsync(arguments)).OrThrow().Output;

    private async Task<(bool? Unschedulable, bool? Drain)> MarksAsync(string host)
    {
        var spec = JsonNode.Parse(await OkAsync("get", "dockerhost", host, "-o", "json"))!["spec"]!;
        return ((bool?)spec["unschedulable"], (bool?)spec["drain"]);
    }

    /// <summary>The app may be on that host alone.</summary>
    private async Task<(AppUnderTest App, string Host)> AppAndHostAsync(string spec = "image: 'web:v1', replicas: 1")
    {
        var app = new AppUnderTest(server, await server.NamespaceAsync());
        var host = $"{app.Space}-a";
        await app.ApplyAsync($"{spec}, placement: {{hostSelector: {{pool: {app.Space}}}}}");
        (await server.OrcAsync(["apply", "-f", "-"], $$$"""
            {apiVersion: orchestrator.dev/v1, kind: DockerHost, metadata: {name: {{{host}}}, labels: {pool: {{{app.Space}}}}}, spec: {endpoint: "tcp://127.0.0.1:1"} }
            """)).OrThrow();
        await app.PatchStatusAsync("dh", host, new() { ["conditions"] = new JsonArray(AppUnderTest.Condition("Ready", true, "EngineAnswers", "")) });
        return (app, host);
    }

    /// <param name="host">Null: not bound.</param>
    private async Task ReplicaAsync(AppUnderTest app, string name, string? host, bool owned = true)
    {
        var uid = (string?)(await app.ReadAsync())["metadata"]!["uid"];
        var owners = owned ? $"[{{apiVersion: orchestrator.dev/v1, kind: WebApp, name: web, uid: {uid}, controller: true}}]" : "[]";
        var (label, binding) = host is null ? ("", "") : ($", orchestrator.dev/host: {host}", $"hostName: {host}, hostPort: 20000,");
        (await server.KubectlAsync(["create", "-n", app.Space, "-f", "-"], $$$"""
            {apiVersion: orchestrator.dev/v1, kind: Replica,
             metadata: {name: {{{name}}}, labels: {orchestrator.dev/app: web{{{label}}}}, ownerReferences: {{{owners}}}},
             spec: {appName: web, revision: bcdfghjklm, {{{binding}}} template: {image: "web:v1"} } }
            """)).OrThrow();
    }
}
