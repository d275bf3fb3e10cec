using System.Text.Json.Nodes;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>On the real embedded server, in turns with the real kubectl.</summary>
public sealed class ApplyTests(ServerFixture server)
{
    private const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    [Fact]
    public async Task What_is_new_is_created_what_differs_configured_and_the_rest_unchanged()
    {
        var space = await server.NamespaceAsync();

        Assert.Equal("webapp.orchestrator.dev/web created\n", await Apply(space, App(1)));
        Assert.Equal("webapp.orchestrator.dev/web unchanged\n", await Apply(space, App(1)));
        Assert.Equal("webapp.orchestrator.dev/web configured\n", await Apply(space, App(2)));
        Assert.Equal(2, (int?)(await Get(space, "wa", "web"))["spec"]!["replicas"]);
    }

    [Fact]
    public async Task Fields_that_leave_the_manifest_leave_the_object_and_others_fields_stay()
    {
        var space = await server.NamespaceAsync();
        await Apply(space, App(1, "  args: [a]"));
        (await server.KubectlAsync(["label", "wa", "web", "theirs=1", "-n", space])).OrThrow();

        await Apply(space, App(1));

        var live = await Get(space, "wa", "web");
        Assert.Null(live["spec"]!["args"]);
        Assert.Equal("1", (string?)live["metadata"]!["labels"]!["theirs"]);
    }

    [Fact]
    public async Task The_annotation_is_kubectls_to_the_byte()
    {
        var (ours, theirs) = (await server.NamespaceAsync(), await server.NamespaceAsync());
        const string manifest = """
            apiVersion: v1
            kind: ConfigMap
            metadata:
              name: odd
              labels: {z: "1", a: "yes", ü: x}
              annotations: {note: "<a & b> \u2028 \t \"quoted\" 😀"}
            data:
              b: "1.0"
              a: |
                line one
                line two
            ---
            apiVersion: orchestrator.dev/v1
            kind: WebApp
            metadata: {name: web}
            spec:
              image: registry.example.org/web:v1
              replicas: 0x2
              port: 010000
              command: [sh, -c, "echo a && b"]
              env: [{name: EMPTY}, {name: FLAG, value: "on"}]
              resources: {limits: {cpu: 1.0, memory: 1Gi}}
            """;
        var valid = manifest.Replace(", ü: x", "", StringComparison.Ordinal);
        await Apply(ours, valid);
        (await server.KubectlAsync(["apply", "-f", "-", "-n", theirs], valid)).OrThrow();

        foreach (var (kind, name) in new[] { ("configmap", "odd"), ("wa", "web") })
        {
            var expected = Annotation(await Get(theirs, kind, name)).Replace(theirs, ours, StringComparison.Ordinal);
            Assert.Equal(expected, Annotation(await Get(ours, kind, name)));
        }
    }

    [Fact]
    public async Task Orc_and_kubectl_can_be_used_in_turns()
    {
        var space = await server.NamespaceAsync();
        await Apply(space, App(1, "  args: [a]"));

        Assert.Contains("unchanged", await KubectlApply(space, App(1, "  args: [a]")), StringComparison.Ordinal);
        Assert.Contains("configured", await KubectlApply(space, App(3)), StringComparison.Ordinal);
        Assert.Contains("unchanged", await Apply(space, App(3)), StringComparison.Ordinal);
        Assert.Null((await Get(space, "wa", "web"))["spec"]!["args"]);
    }

    [Fact]
    public async Task A_bad_document_is_told_with_its_place_and_the_others_are_applied()
    {
        var space = await server.NamespaceAsync();
        var manifests = $"{App(1)}\n---\napiVersion: orchestrator.dev/v1\nkind: WebApp\nmetadata: {{name: typo}}\nspec: {{image: x, replcias: 1}}\n---\na: [\n---\n"
            + $"apiVersion: v1\nkind: Unheard\nmetadata: {{name: x}}\n---\n{App(1).Replace("name: web", "name: last", StringComparison.Ordinal)}";

        var applied = await server.OrcAsync(["apply", "-f", "-", "-n", space], manifests);

        Assert.Equal(ExitCodes.Failed, applied.ExitCode);
        Assert.Equal("webapp.orchestrator.dev/web created\nwebapp.orchestrator.dev/last created\n", applied.Output);
        Assert.Contains("standard input:9 (document 2)", applied.Errors, StringComparison.Ordinal);
        Assert.Contains("unknown field \"spec.replcias\"", applied.Errors, StringComparison.Ordinal);
        Assert.Contains("(document 3): bad YAML", applied.Errors, StringComparison.Ordinal);
        Assert.Contains("no kind Unheard in v1; it has: ", applied.Errors, StringComparison.Ordinal);
        Assert.Contains("orchestrator.dev/v1 WebApp", applied.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_number_that_none_can_hold_does_not_keep_the_others_from_being_applied()
    {
        var space = await server.NamespaceAsync();
        const string odd = """{"apiVersion":"orchestrator.dev/v1","kind":"WebApp","metadata":{"name":"odd"},"spec":{"image":"x","replicas":1e999}}""";

        var applied = await server.OrcAsync(["apply", "-f", "-", "-n", space], $"{odd}\n---\n{App(1)}");
        var deleted = await server.OrcAsync(["delete", "-f", "-", "-n", space], $"{odd}\n---\n{App(1)}");

        Assert.Equal((ExitCodes.Failed, "webapp.orchestrator.dev/web created\n"), (applied.ExitCode, applied.Output));
        Assert.Contains("standard input:1: 1e999 is too large", applied.Errors, StringComparison.Ordinal);
        Assert.Equal((ExitCodes.Failed, "webapp.orchestrator.dev/web deleted\n"), (deleted.ExitCode, deleted.Output));
    }

    [Fact]
    public async Task Credentials_that_are_wrong_are_told_once_and_with_their_exit_code()
    {
        using var folder = new TemporaryFolder();
        var stranger = System.Text.RegularExpressions.Regex.Replace(
            await File.ReadAllTextAsync(server.Kubeconfig, TestContext.Current.CancellationToken),
            "client-certificate-data: .*\n *client-key-data: .*", "token: wrong");
        await File.WriteAllTextAsync(folder["config"], stranger, TestContext.Current.CancellationToken);

        var applied = await Command.RunAsync(
            ServerFixture.OrcPath, ["apply", "-f", "-", "--kubeconfig", folder["config"]], $"{App(1)}\n---\n{App(2)}", TestContext.Current.CancellationToken);

        Assert.Equal((ExitCodes.Unreachable, ""), (applied.ExitCode, applied.Output));
        Assert.Matches("^error: the API server does not know you[^\n]*\n$", applied.Errors);
    }

    [Fact]
    public async Task A_dry_run_checks_and_stores_nothing()
    {
        var space = await server.NamespaceAsync();

        Assert.Equal("webapp.orchestrator.dev/web created (server dry run)\n", await Apply(space, App(1), "--dry-run=server"));
        Assert.Equal(ExitCodes.NotFound, (await server.OrcAsync(["get", "wa", "web", "-n", space])).ExitCode);
    }

    [Fact]
    public async Task A_manifest_of_another_namespace_than_was_asked_for_is_refused()
    {
        var space = await server.NamespaceAsync();

        var applied = await server.OrcAsync(["apply", "-f", "-", "-n", space], "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: default}}");

        Assert.Equal(ExitCodes.Failed, applied.ExitCode);
        Assert.Contains($"\"default\", the command line \"{space}\"", applied.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_ends_with_its_own_exit_code_and_what_is_missing()
    {
        var space = await server.NamespaceAsync();

        var applied = await server.OrcAsync(["apply", "-f", "-", "-n", space, "--wait", "--timeout", "300ms"], App(1));

        Assert.Equal(ExitCodes.TimedOut, applied.ExitCode);
        Assert.Contains("webapp.orchestrator.dev/web: the controller has not seen it yet", applied.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_ends_when_the_status_says_so()
    {
        var space = await server.NamespaceAsync();
        var waiting = server.OrcAsync(["apply", "-f", "-", "-n", space, "--wait", "--timeout", "30s"], App(2));
        await Eventually.True(async () => (await server.OrcAsync(["get", "wa", "web", "-n", space])).ExitCode == 0);

        var status = """{"status":{"observedGeneration":1,"replicas":2,"readyReplicas":2,"updatedReplicas":2,"conditions":[{"type":"Available","status":"True","reason":"AllReady","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}""";
        (await server.KubectlAsync(["patch", "wa", "web", "-n", space, "--subresource=status", "--type=merge", "-p", status])).OrThrow();

        Assert.Contains("2 replicas ready", (await waiting).OrThrow().Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_in_vain_says_why_as_the_apps_conditions_do()
    {
        var space = await server.NamespaceAsync();
        await Apply(space, App(30));
        await Observe(space, 30, """{"type":"Available","status":"False","reason":"MinimumReplicasUnavailable","message":"0 of 30 replicas are ready; 30 of 30 replicas: Unschedulable: 0/0 hosts","lastTransitionTime":"2026-01-01T00:00:00Z"}""");

        var applied = await server.OrcAsync(["apply", "-f", "-", "-n", space, "--wait", "--timeout", "300ms"], App(30));

        Assert.Equal(ExitCodes.TimedOut, applied.ExitCode);
        Assert.Contains("did not become ready within 300ms: webapp.orchestrator.dev/web: 0 of 30 replicas ready: 30 of 30 replicas: Unschedulable: 0/0 hosts\n", applied.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_in_vain_says_why_as_a_replicas_conditions_do_when_the_app_has_no_reason()
    {
        var space = await server.NamespaceAsync();
        await Apply(space, App(2));
        await Observe(space, 2, """{"type":"Available","status":"False","reason":"MinimumReplicasUnavailable","message":"0 of 2 replicas are ready","lastTransitionTime":"2026-01-01T00:00:00Z"}""");
        foreach (var name in new[] { "web-1", "web-2" })
        {
            await Apply(space, $"{{apiVersion: orchestrator.dev/v1, kind: Replica, metadata: {{name: {name}, labels: {{orchestrator.dev/app: web}}}}, spec: {{appName: web, revision: r1, template: {{image: x}}}}}}");
            await PatchStatus(space, "replica", name, """{"conditions":[{"type":"Ready","status":"False","reason":"NotYetReady","message":"GET / answered 503","lastTransitionTime":"2026-01-01T00:00:00Z"}]}""");
        }

        var applied = await server.OrcAsync(["apply", "-f", "-", "-n", space, "--wait", "--timeout", "300ms"], App(2));

        Assert.Equal(ExitCodes.TimedOut, applied.ExitCode);
        Assert.Contains("webapp.orchestrator.dev/web: 0 of 2 replicas ready: replica web-1: GET / answered 503\n", applied.Errors, StringComparison.Ordinal);
    }

    private Task Observe(string space, int replicas, string condition) => PatchStatus(
        space, "wa", "web", $$"""{"observedGeneration":1,"replicas":{{replicas}},"readyReplicas":0,"updatedReplicas":{{replicas}},"conditions":[{{condition}}]}""");

    private async Task PatchStatus(string space, string kind, string name, string status) => (await server.KubectlAsync(
        ["patch", kind, name, "-n", space, "--subresource=status", "--type=merge", "-p", $$"""{"status":{{status}}}"""])).OrThrow();

    private static string App(int replicas, string extra = "") =>
        $"apiVersion: orchestrator.dev/v1\nkind: WebApp\nmetadata:\n  name: web\nspec:\n  image: web:v1\n  replicas: {replicas}\n{extra}".TrimEnd();

    private static string Annotation(JsonNode live) => (string)live["metadata"]!["annotations"]![LastApplied]!;

    private async Task<string> Apply(string space, string manifest, params string[] more) =>
        (await server.OrcAsync(["apply", "-f", "-", "-n", space, .. more], manifest)).OrThrow().Output;

    private async Task<string> KubectlApply(string space, string manifest) =>
        (await server.KubectlAsync(["apply", "-f", "-", "-n", space], manifest)).OrThrow().Output;

    private async Task<JsonNode> Get(string space, string kind, string name) =>
        JsonNode.Parse((await server.OrcAsync(["get", kind, name, "-o", "json", "-n", space])).OrThrow().Output)!;
}
