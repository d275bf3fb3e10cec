using System.Text;
using System.Text.RegularExpressions;
using Orchestrator.EndToEnd.Tests.Installations;

namespace Orchestrator.EndToEnd.Tests;

/// <summary>Whatever a user gets wrong is told where the user looks, names the thing, and leaves nothing half-done.</summary>
public sealed class BadInputTests(BadInputTests.Site site) : IClassFixture<BadInputTests.Site>
{
    private static readonly TimeSpan SoonEnough = TimeSpan.FromSeconds(45);

    /// <summary>One installation for all: each test leaves it as it was.</summary>
    public sealed class Site : IAsyncLifetime
    {
        internal Installation Installation { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Installation = await Installation.StartAsync(hosts: 2);

        public ValueTask DisposeAsync() => Installation.DisposeAsync();
    }

    private Installation Installation => site.Installation;

    [Fact]
    public async Task Each_of_many_wrong_manifests_is_refused_by_its_field()
    {
        var folder = Repository.At("tests/testdata/invalid-manifests");

        var applied = await Installation.OrcAsync("apply", "-R", "-f", folder);

        Assert.Equal((1, ""), (applied.ExitCode, applied.Output));
        var refusals = applied.Errors.Split("error: ");
        Assert.All(Directory.EnumerateDirectories(folder), wrong =>
        {
            var field = File.ReadAllText(Path.Combine(wrong, "expect.txt")).Trim();
            Assert.Contains(refusals, refusal => refusal.StartsWith($"{wrong}/manifest.yaml:", StringComparison.Ordinal)
                && WithoutIndexes(refusal).Contains(field, StringComparison.Ordinal));
        });
        Assert.Empty((await Installation.KubectlAsync("get", "webapps,replicas", "-A", "-o", "name")).OrThrow().Output);
    }

    [Fact]
    public async Task An_unknown_field_is_named_by_orc_and_by_kubectl()
    {
        var manifest = Manifests.Web("typo", Installation.Lab.Image("web:v1"), 1, "  replcias: 3");

        var (orc, kubectl) = (await Installation.OrcAsync(["apply", "-f", "-"], manifest), await Installation.KubectlAsync(["apply", "-f", "-"], manifest));

        Assert.All([orc, kubectl], command =>
        {
            Assert.NotEqual(0, command.ExitCode);
            Assert.Contains("spec.replcias", command.Errors, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_manifest_of_ten_megabytes_is_refused()
    {
        var manifest = Manifests.Web("big", "web:v1", 1, $"  args: ['{new string('x', 10_000_000)}']");

        var applied = await Installation.OrcAsync(["apply", "-f", "-"], manifest);

        Assert.NotEqual(0, applied.ExitCode);
        Assert.Contains("large", applied.Errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_bomb_of_aliases_is_refused_at_once()
    {
        var bomb = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (var level = 1; level < 12; level++)
        {
            bomb.Append(System.Globalization.CultureInfo.InvariantCulture, $"a{level}: &a{level} [{string.Join(", ", Enumerable.Repeat($"*a{level - 1}", 9))}]\n");
        }

        var applied = await Installation.OrcAsync(["apply", "-f", "-"], bomb.ToString());

        Assert.NotEqual(0, applied.ExitCode);
        Assert.Contains("alias", applied.Errors, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task The_younger_of_two_apps_with_one_route_is_told_who_has_it()
    {
        var image = Installation.Lab.Image("web:v1");
        await Installation.ApplyAsync(Manifests.Web("older", image, 1));
        await Installation.SeeReady("older", 1);
        await Installation.ApplyAsync(Manifests.Web("younger", image, 1).Replace(Manifests.HostName("younger"), Manifests.HostName("older"), StringComparison.Ordinal));

        await SeeIn("webapp", "younger", "RouteAccepted", "False");
        await SeeDescribed("webapp", "younger", "default/older");
        Assert.StartsWith("older-", (await Visitor.OnceAsync(Installation.Http, "older")).Replica, StringComparison.Ordinal);
        await Remove("older", "younger");
    }

    [Fact]
    public async Task An_image_that_does_not_exist_is_told_by_the_app_its_replica_and_an_event()
    {
        await Installation.ApplyAsync(Manifests.Web("missing", Installation.Lab.Image("no-such-image:v9"), 1));

        await SeeDescribed("webapp", "missing", "ErrImagePull");
        await SeeDescribed("replicas", "-l=orchestrator.dev/app=missing", "no-such-image");
        await Eventually.See(
            async () => (await Installation.OrcAsync("events")).OrThrow().Output, seen => seen.Contains("no-such-image", StringComparison.Ordinal), SoonEnough);
        await Remove("missing");
    }

    [Fact]
    public async Task An_app_that_ends_at_once_is_told_to_be_in_a_crash_loop()
    {
        await Installation.ApplyAsync(Manifests.Web("broken", Installation.Lab.Image("broken:v1"), 1));

        await SeeDescribed("webapp", "broken", "CrashLoopBackOff");
        await Remove("broken");
    }

    [Fact]
    public async Task A_replica_that_fits_nowhere_says_why_for_each_host()
    {
        await Installation.ApplyAsync(Manifests.Web("huge", Installation.Lab.Image("web:v1"), 1, "  resources: { requests: { memory: 900Gi } }"));

        await SeeDescribed("webapp", "huge", "0/2 hosts: 2 insufficient memory");
        (await Installation.OrcAsync("hosts", "cordon", "host1")).OrThrow();
        await SeeDescribed("webapp", "huge", "1 cordoned");
        (await Installation.OrcAsync("hosts", "uncordon", "host1")).OrThrow();
        await Remove("huge");
    }

    [Fact]
    public async Task A_host_port_that_is_taken_leads_to_another_one()
    {
        // A process of the host has the first port of its range: the replica is given the other one.
        var host = Installation.Lab.Hosts[0];
        var range = (await Installation.GetAsync("dockerhost", host.Name))["spec"]!["portRange"]!.ToJsonString();
        (await Installation.KubectlAsync("patch", "dockerhost", host.Name, "--type=merge", "-p", "{\"spec\":{\"portRange\":{\"first\":29000,\"last\":29001}}}")).OrThrow();
        var listening = await Installation.Engines[0].RunOnHostNetworkAsync("listening", Installation.Lab.Image("web:v1"), port: 29000);
        await Installation.ApplyAsync(Manifests.Web("ports", Installation.Lab.Image("web:v1"), 1, "  placement: { hostSelector: { only: this } }"));
        (await Installation.KubectlAsync("label", "dockerhost", host.Name, "only=this")).OrThrow();

        await Installation.SeeReady("ports", 1);
        Assert.Equal(29001, (await Installation.ReplicasAsync("ports"))[0]["spec"]!["hostPort"]!.GetValue<int>());

        await Installation.Engines[0].RemoveAsync(listening);
        await Remove("ports");
        (await Installation.KubectlAsync("label", "dockerhost", host.Name, "only-")).OrThrow();
        (await Installation.KubectlAsync("patch", "dockerhost", host.Name, "--type=merge", "-p", $"{{\"spec\":{{\"portRange\":{range}}}}}")).OrThrow();
    }

    [Fact]
    public async Task A_host_that_cannot_be_reached_or_speaks_another_TLS_is_not_added()
    {
        var (lab, host) = (Installation.Lab, Installation.Lab.Hosts[2]);

        var nobody = await Installation.OrcAsync("hosts", "add", "nobody", "--endpoint", "tcp://127.0.0.1:1");
        var plain = await Installation.OrcAsync("hosts", "add", "plain", "--endpoint", host.Endpoint);
        var stranger = await Installation.OrcAsync(
            "hosts", "add", "stranger", "--endpoint", host.Endpoint,
            "--tls-ca", lab.StrangerTls.Ca, "--tls-cert", lab.StrangerTls.Certificate, "--tls-key", lab.StrangerTls.Key);

        Assert.All([nobody, plain, stranger], command => Assert.Equal(1, command.ExitCode));
        Assert.Contains("127.0.0.1:1", nobody.Errors, StringComparison.Ordinal);
        Assert.Contains("TLS", plain.Errors, StringComparison.Ordinal);
        Assert.Matches("certificate|TLS handshake", stranger.Errors);
        Assert.DoesNotContain("PRIVATE KEY", stranger.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, (await Installation.KubectlAsync("get", "dockerhosts", "-o", "name")).OrThrow().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public async Task A_host_stored_with_another_TLS_says_so_in_its_condition()
    {
        var (lab, host) = (Installation.Lab, Installation.Lab.Hosts[2]);
        (await Installation.OrcAsync(
            "hosts", "add", "stranger", "--no-check", "--endpoint", host.Endpoint,
            "--tls-ca", lab.StrangerTls.Ca, "--tls-cert", lab.StrangerTls.Certificate, "--tls-key", lab.StrangerTls.Key)).OrThrow();

        try
        {
            await SeeIn("dockerhost", "stranger", "Ready", "False");
            await SeeDescribed("dockerhost", "stranger", "certificate");
        }
        finally
        {
            (await Installation.OrcAsync("hosts", "remove", "stranger")).OrThrow();
        }
    }

    [Fact]
    public async Task A_second_serve_on_the_same_folder_is_refused_and_the_first_goes_on()
    {
        var second = await Command.RunAsync(Orc.Path, ["serve", "--data-folder", Installation.DataFolder, "--port", "0"]);

        Assert.Equal(6, second.ExitCode);
        Assert.Contains(Installation.DataFolder, second.Errors, StringComparison.Ordinal);
        Assert.True(Installation.IsRunning);
        (await Installation.KubectlAsync("get", "webapps")).OrThrow();
    }

    /// <summary>We say which item of a list, <c>spec.env[0].name</c>; older kube-apiservers, which the cases are shared with, do not.</summary>
    private static string WithoutIndexes(string message) => Regex.Replace(message, @"\[[^\]\s]*\]", "");

    private Task SeeIn(string kind, string name, string condition, string status) =>
        Eventually.See(() => StatusOf(kind, name, condition), seen => seen == status, SoonEnough);

    private async Task<string> StatusOf(string kind, string name, string condition) =>
        (await Installation.KubectlAsync("get", kind, name, "-o", $"jsonpath={{.status.conditions[?(@.type==\"{condition}\")].status}}")).OrThrow().Output;

    private Task SeeDescribed(string kind, string name, string text) => Installation.SeeDescribed(kind, name, text, SoonEnough);

    private async Task Remove(params string[] apps) =>
        (await Installation.KubectlAsync(["delete", "webapp", .. apps, "--timeout", "60s"], "")).OrThrow();
}
