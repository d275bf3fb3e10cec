using System.Diagnostics;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>Words in, words and exit code out, on the real embedded server.</summary>
public sealed class CommandTests(ServerFixture server)
{
    private const string Two = """
        apiVersion: orchestrator.dev/v1
        kind: WebApp
        metadata: {name: one, labels: {tier: test}}
        spec: {image: "web:v1", replicas: 1}
        ---
        apiVersion: orchestrator.dev/v1
        kind: WebApp
        metadata: {name: two}
        spec: {image: "web:v1", replicas: 2}
        """;

    [Theory]
    [InlineData(ExitCodes.Usage, "no command", "no-such-command")]
    [InlineData(ExitCodes.Usage, "--replicas", "scale", "web")]
    [InlineData(ExitCodes.Usage, "--replicas", "scale", "web", "--replicas", "many")]
    [InlineData(ExitCodes.Usage, "Must be one of", "get", "wa", "-o", "xml")]
    [InlineData(ExitCodes.Usage, "soon", "apply", "-f", "x", "--timeout", "soon")]
    [InlineData(ExitCodes.Usage, "49d is the longest", "scale", "web", "--replicas", "1", "--wait", "--timeout", "50d")]
    [InlineData(ExitCodes.Usage, "49d is the longest", "serve", "--proxy-drain-timeout", "50d", "--port", "-1")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "logs", "none", "--since", "50d")]
    [InlineData(ExitCodes.Usage, "'--filename' is required", "apply")]
    [InlineData(ExitCodes.Usage, "'TYPE [NAME]' missing", "get")]
    [InlineData(ExitCodes.Usage, "no file or folder", "apply", "-f", "/no/such/file")]
    [InlineData(ExitCodes.Usage, "it has: configmaps", "get", "nonsense")]
    [InlineData(ExitCodes.Usage, "TYPE/NAME", "get", "wa/one", "two")]
    [InlineData(ExitCodes.Usage, "selector", "get", "wa", "one", "-l", "a=b")]
    [InlineData(ExitCodes.Usage, "say what to delete", "delete")]
    [InlineData(ExitCodes.Usage, "which webapps", "delete", "wa")]
    [InlineData(ExitCodes.Usage, "\"\" is no name", "get", "wa", "")]
    [InlineData(ExitCodes.Usage, "\"\" is no name", "delete", "wa", "")]
    [InlineData(ExitCodes.Usage, "\".\" is no name", "delete", "dh", ".")]
    [InlineData(ExitCodes.Usage, "\"..\" is no name", "delete", "secret", "..", "-n", "none")]
    [InlineData(ExitCodes.Usage, "\"..\" is no name", "delete", "wa", "--all", "-n", "..")]
    [InlineData(ExitCodes.Usage, "\"\" is no name", "hosts", "remove", "")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "get", "wa", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "describe", "wa/none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "delete", "wa", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "scale", "none", "--replicas", "1")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "logs", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "hosts", "cordon", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "hosts", "drain", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "hosts", "remove", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "rollout", "status", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "rollout", "history", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "rollout", "undo", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "rollout", "pause", "wa/none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "rollout", "resume", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "rollout", "restart", "none")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "set", "image", "webapp/none", "web:v1")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "set", "env", "none", "--list")]
    [InlineData(ExitCodes.NotFound, "\"none\" not found", "explain-placement", "none")]
    [InlineData(ExitCodes.Usage, "a DockerHost is no app", "explain-placement", "dh/none")]
    [InlineData(ExitCodes.Usage, "Must be one of", "explain-placement", "web", "-o", "wide")]
    [InlineData(ExitCodes.Usage, "a DockerHost is no app", "rollout", "status", "dh/none")]
    [InlineData(ExitCodes.Usage, "\"\" is no name", "rollout", "restart", "")]
    [InlineData(ExitCodes.Usage, "\"a/b/c\" is not TYPE/NAME", "rollout", "restart", "web", "a/b/c")]
    [InlineData(ExitCodes.Usage, "--to-revision", "rollout", "undo", "web", "--to-revision", "last")]
    [InlineData(ExitCodes.Usage, "\"KEY\" is neither KEY=VALUE nor KEY-", "set", "env", "web", "KEY")]
    [InlineData(ExitCodes.Usage, "KEY is there twice", "set", "env", "web", "KEY=1", "KEY-")]
    [InlineData(ExitCodes.Usage, "or that you only look with --list", "set", "env", "web")]
    [InlineData(ExitCodes.Usage, "or that you only look with --list", "set", "env", "web", "KEY=1", "--list")]
    [InlineData(ExitCodes.Usage, "--requests or --limits", "set", "resources", "web")]
    [InlineData(ExitCodes.Usage, "\"100m\" is not RESOURCE=QUANTITY", "set", "resources", "web", "--limits", "100m")]
    [InlineData(ExitCodes.Usage, "cpu is there twice", "set", "resources", "web", "--limits", "cpu=1,cpu=2")]
    [InlineData(ExitCodes.Usage, "all three", "hosts", "add", "h", "--endpoint", "tcp://127.0.0.1:1", "--tls-ca", "x")]
    [InlineData(ExitCodes.Usage, "FIRST-LAST", "hosts", "add", "h", "--endpoint", "tcp://127.0.0.1:1", "--port-range", "9-1")]
    [InlineData(ExitCodes.Usage, "KEY=VALUE", "hosts", "add", "h", "--endpoint", "tcp://127.0.0.1:1", "--label", "zone")]
    [InlineData(ExitCodes.Failed, "127.0.0.1:1 refused", "hosts", "add", "h", "--endpoint", "tcp://127.0.0.1:1")]
    [InlineData(ExitCodes.Failed, "/no/such.sock", "hosts", "add", "h", "--endpoint", "unix:///no/such.sock")]
    [InlineData(ExitCodes.Failed, "127.0.0.1:1 refused: does an ssh server run", "hosts", "add", "h", "--endpoint", "ssh://root@127.0.0.1:1")]
    [InlineData(ExitCodes.Failed, "cannot be resolved", "hosts", "add", "h", "--endpoint", "ssh://no-such-host.invalid", "--no-check")]
    [InlineData(ExitCodes.Usage, "has a password in it", "hosts", "add", "h", "--endpoint", "ssh://root:secret@127.0.0.1", "--no-check")]
    [InlineData(ExitCodes.Usage, "the host '-oProxyCommand=x'", "hosts", "add", "h", "--endpoint", "ssh://-oProxyCommand=x", "--no-check")]
    [InlineData(ExitCodes.Usage, "they are for tcp endpoints", "hosts", "add", "h", "--endpoint", "ssh://127.0.0.1", "--tls-ca", "/dev/null", "--tls-cert", "/dev/null", "--tls-key", "/dev/null")]
    [InlineData(ExitCodes.Usage, "--ssh-known-hosts goes with --ssh-key", "hosts", "add", "h", "--endpoint", "ssh://127.0.0.1", "--ssh-known-hosts", "/dev/null")]
    [InlineData(ExitCodes.Failed, "--ssh-key: cannot read /no/such/key", "hosts", "add", "h", "--endpoint", "ssh://127.0.0.1", "--ssh-key", "/no/such/key")]
    [InlineData(ExitCodes.Failed, "--ssh-key: /dev/null is empty", "hosts", "add", "h", "--endpoint", "ssh://127.0.0.1", "--ssh-key", "/dev/null")]
    [InlineData(ExitCodes.Usage, "\"10.0.0.0/33\" is no network", "proxy", "--trusted-proxies", "fd00::/8,10.0.0.0/33")]
    [InlineData(ExitCodes.Usage, "certificates are ordered only with --acme-email", "serve", "--acme-accept-terms")]
    [InlineData(ExitCodes.Usage, "--acme-email goes with --acme-accept-terms", "serve", "--acme-email", "web@example.org")]
    [InlineData(ExitCodes.Usage, "--acme-email: \"web\" is no address", "serve", "--acme-email", "web", "--acme-accept-terms")]
    [InlineData(ExitCodes.Usage, "--acme-directory: \"http://ca.test/dir\" is no URL that begins with https://", "serve", "--acme-email", "web@example.org", "--acme-accept-terms", "--acme-directory", "http://ca.test/dir")]
    [InlineData(ExitCodes.Usage, "--acme-ca-file: cannot read /no/such.pem", "serve", "--acme-email", "web@example.org", "--acme-accept-terms", "--acme-ca-file", "/no/such.pem")]
    [InlineData(ExitCodes.Usage, "--zone: \"a b\" is no value of a label", "proxy", "--zone", "a b")]
    [InlineData(ExitCodes.Usage, "--proxy-zone: \"\" is no value of a label", "serve", "--proxy-zone", "")]
    [InlineData(ExitCodes.Usage, "\"lb\" is no network", "serve", "--proxy-trusted-proxies", "lb")]
    [InlineData(ExitCodes.Usage, "--access-log-format: \"xml\" is neither json nor combined", "proxy", "--access-log-format", "xml")]
    [InlineData(ExitCodes.Usage, "--access-log-sample: \"10%\" is no share from 0 to 1", "proxy", "--access-log-sample", "10%")]
    [InlineData(ExitCodes.Usage, "--proxy-access-log-sample: \"1.5\" is no share from 0 to 1", "serve", "--proxy-access-log-sample", "1.5")]
    [InlineData(ExitCodes.Usage, "--min-body-rate: \"1k\" is no number of bytes a second", "proxy", "--min-body-rate", "1k")]
    [InlineData(ExitCodes.Usage, "--otlp-endpoint: \"collector:4317\" is no http or https URL", "proxy", "--otlp-endpoint", "collector:4317")]
    [InlineData(ExitCodes.Usage, "--proxy-otlp-protocol: \"http/json\" is neither grpc nor http/protobuf", "serve", "--proxy-otlp-protocol", "http/json")]
    [InlineData(ExitCodes.Usage, "--accept-proxy-protocol goes with --trusted-proxies", "proxy", "--accept-proxy-protocol")]
    [InlineData(ExitCodes.Usage, "spec.endpoint", "hosts", "add", "h", "--endpoint", "ftp://x", "--no-check")]
    [InlineData(ExitCodes.Usage, "spec.endpoint", "hosts", "add", "h", "--endpoint", "ftp://x")]
    public async Task A_mistake_is_one_sentence_and_an_exit_code(int exitCode, string says, params string[] arguments)
    {
        var command = await server.OrcAsync(arguments);

        Assert.Equal((exitCode, ""), (command.ExitCode, command.Output));
        Assert.Contains(says, command.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", command.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("\e", command.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fewer_replicas_than_none_are_refused_by_the_field()
    {
        var space = await server.NamespaceAsync();
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();

        var command = await server.OrcAsync(["scale", "two", "--replicas", "-1", "-n", space]);

        Assert.Equal((ExitCodes.Failed, ""), (command.ExitCode, command.Output));
        Assert.Contains("spec.replicas", command.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", command.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_server_it_says_which_and_what_to_do()
    {
        using var folder = new TemporaryFolder();
        var content = await File.ReadAllTextAsync(server.Kubeconfig, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            folder["config"], System.Text.RegularExpressions.Regex.Replace(content, "https://127.0.0.1:[0-9]+", "https://127.0.0.1:1"), TestContext.Current.CancellationToken);

        var command = await Command.RunAsync(ServerFixture.OrcPath, ["get", "wa", "--kubeconfig", folder["config"]], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Unreachable, command.ExitCode);
        Assert.Contains("https://127.0.0.1:1: Connection refused", command.Errors, StringComparison.Ordinal);
        Assert.Contains("orc serve", command.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Which_server_and_namespace_may_be_said_before_the_command_too()
    {
        var space = await server.NamespaceAsync();
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();

        var apps = await Ok(["--kubeconfig", server.Kubeconfig, "-n", space, "get", "wa", "-o", "name"], kubeconfig: false);
        var context = await Command.RunAsync(
            ServerFixture.OrcPath, ["--context", "none", "hosts", "--kubeconfig", server.Kubeconfig, "list"], cancellationToken: TestContext.Current.CancellationToken);
        var nearest = await Command.RunAsync(
            ServerFixture.OrcPath, ["--kubeconfig", "/no/such", "get", "wa", "--kubeconfig", server.Kubeconfig], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal("webapp.orchestrator.dev/one\nwebapp.orchestrator.dev/two\n", apps);
        Assert.Equal(ExitCodes.Unreachable, context.ExitCode);
        Assert.Contains(server.Kubeconfig, context.Errors, StringComparison.Ordinal);
        nearest.OrThrow();
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("proxy")]
    public async Task A_server_process_hears_of_a_kubeconfig_before_its_name(string command)
    {
        using var folder = new TemporaryFolder();

        var refused = await Command.RunAsync(
            ServerFixture.OrcPath, ["--kubeconfig", "/no/such", command, "--data-folder", folder["data"]], cancellationToken: TestContext.Current.CancellationToken);

        Assert.Equal(ExitCodes.Unreachable, refused.ExitCode);
        Assert.Contains("there is no file /no/such", refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_shows_the_columns_of_the_server_and_names_of_all_kinds()
    {
        var space = await server.NamespaceAsync();
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();

        var table = Lines(await Ok("get", "webapps", "-n", space));
        Assert.Equal(["NAME", "DESIRED", "READY", "UPDATED", "AVAILABLE", "AGE"], Words(table[0]));
        Assert.Equal(["one", "<none>", "<none>", "<none>", "<none>"], Words(table[1]).Take(5));
        Assert.Equal(3, table.Length);
        Assert.Contains("IMAGE", await Ok("get", "wa", "-o", "wide", "-n", space), StringComparison.Ordinal);
        Assert.Equal("webapp.orchestrator.dev/one\n", await Ok("get", "wa", "-l", "tier=test", "-o", "name", "-n", space));
        Assert.Equal("webapp.orchestrator.dev/two\n", await Ok("get", "webapp.orchestrator.dev/two", "-o", "name", "-n", space));
        Assert.Contains("webapp.orchestrator.dev/one", await Ok("get", "orchestrator", "-n", space), StringComparison.Ordinal);
        Assert.Contains(space, await Ok("get", "wa", "-A", "--no-headers"), StringComparison.Ordinal);
        Assert.Equal(2, JsonNode.Parse(await Ok("get", "wa", "-o", "json", "-n", space))!["items"]!.AsArray().Count);
        Assert.Equal("two", (string?)ManifestReader.ReadText("f", await Ok("get", "wa", "two", "-o", "yaml", "-n", space)).Single().Metadata["name"]);
    }

    [Fact]
    public async Task Watch_shows_what_is_and_what_comes()
    {
        var space = await server.NamespaceAsync();
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();
        using var watch = Process.Start(new ProcessStartInfo(ServerFixture.OrcPath, ["get", "wa", "-w", "-n", space, "--kubeconfig", server.Kubeconfig]) { RedirectStandardOutput = true })!;
        async Task<string[]> Next() => Words(await watch.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) ?? "");

        Assert.Equal("NAME", (await Next())[0]);
        Assert.Equal(["one", "two"], [(await Next())[0], (await Next())[0]]);
        (await server.OrcAsync(["scale", "two", "--replicas", "7", "-n", space])).OrThrow();
        Assert.Equal("two", (await Next())[0]);

        (await Command.RunAsync("kill", ["-INT", $"{watch.Id}"], cancellationToken: TestContext.Current.CancellationToken)).OrThrow();
        await watch.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCodes.Interrupted, watch.ExitCode);
    }

    [Fact]
    public async Task Output_that_nobody_reads_any_more_ends_the_command()
    {
        var space = await server.NamespaceAsync();
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();
        var script = $"'{ServerFixture.OrcPath}' get wa -w -n {space} --kubeconfig '{server.Kubeconfig}' | head -n 1; echo ${{PIPESTATUS[0]}}";
        var piped = Command.RunAsync("bash", ["-c", script], cancellationToken: TestContext.Current.CancellationToken);

        await Eventually.True(async () =>
        {
            (await server.OrcAsync(["scale", "two", "--replicas", $"{Environment.TickCount % 100}", "-n", space])).OrThrow();
            return piped.IsCompleted;
        });

        Assert.EndsWith($"{ExitCodes.OutputClosed}\n", (await piped).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Describe_shows_conditions_replicas_and_events_and_never_what_a_secret_holds()
    {
        var space = await server.NamespaceAsync();
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], "{apiVersion: v1, kind: Secret, metadata: {name: key}, stringData: {password: hunter2}}")).OrThrow();

        var app = await Ok("describe", "wa", "two", "-n", space);
        var secret = await Ok("describe", "secret/key", "-n", space);

        Assert.Contains("Image: web:v1", app, StringComparison.Ordinal);
        Assert.Contains("Replicas: none", app, StringComparison.Ordinal);
        Assert.Contains("Events: none", app, StringComparison.Ordinal);
        Assert.Contains("password=7 bytes", secret, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", secret, StringComparison.Ordinal);
        Assert.DoesNotContain("aHVudGVyMg", secret, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Delete_takes_names_labels_manifests_or_all()
    {
        var space = await server.NamespaceAsync();
        async Task Make() => (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();
        async Task<string> Left() => (await server.OrcAsync(["get", "wa", "-o", "name", "-n", space])).OrThrow().Output;

        await Make();
        Assert.Equal("webapp.orchestrator.dev/one deleted\n", await Ok("delete", "wa", "one", "-n", space));
        Assert.Equal("webapp.orchestrator.dev/two\n", await Left());
        await Make();
        await Ok("delete", "wa", "-l", "tier=test", "-n", space);
        Assert.Equal("webapp.orchestrator.dev/two\n", await Left());
        await Make();
        (await server.OrcAsync(["delete", "-f", "-", "-n", space], Two)).OrThrow();
        Assert.Equal("", await Left());
        await Make();
        await Ok("delete", "wa", "--all", "-n", space);
        Assert.Equal("", await Left());
        Assert.Equal("", await Ok("delete", "wa", "one", "--ignore-not-found", "-n", space));
    }

    [Fact]
    public async Task An_empty_namespace_is_none_given_and_not_all_of_them()
    {
        var (space, contexts) = (await server.NamespaceAsync(), await server.NamespaceAsync());
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();
        (await server.OrcAsync(["apply", "-f", "-", "-n", contexts], Two)).OrThrow();
        using var folder = new TemporaryFolder();
        await server.WriteKubeconfigAsync(folder["config"], contexts);

        await Ok(["delete", "wa", "--all", "-n", "", "--kubeconfig", folder["config"]], kubeconfig: false);

        Assert.Equal("", await Ok("get", "wa", "-o", "name", "-n", contexts));
        Assert.Equal("webapp.orchestrator.dev/one\nwebapp.orchestrator.dev/two\n", await Ok("get", "wa", "-o", "name", "-n", space));
    }

    [Fact]
    public async Task A_name_that_is_none_is_told_before_anything_is_deleted()
    {
        var space = await server.NamespaceAsync();
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], Two)).OrThrow();
        await Ok("hosts", "add", "kept", "--endpoint", "tcp://127.0.0.1:1", "--no-check");

        Assert.Equal(ExitCodes.Usage, (await server.OrcAsync(["delete", "wa", "one", "", "-n", space])).ExitCode);
        Assert.Equal(ExitCodes.Usage, (await server.OrcAsync(["hosts", "remove", "kept", ""])).ExitCode);

        Assert.Equal("webapp.orchestrator.dev/one\n", await Ok("get", "wa", "one", "-o", "name", "-n", space));
        await Ok("hosts", "remove", "kept");
    }

    [Fact]
    public async Task Delete_waits_for_finalizers_and_gives_up_in_time()
    {
        var space = await server.NamespaceAsync();
        const string held = "{apiVersion: v1, kind: ConfigMap, metadata: {name: held, finalizers: [example.org/hold]}}";
        (await server.OrcAsync(["apply", "-f", "-", "-n", space], held)).OrThrow();

        var late = await server.OrcAsync(["delete", "configmap", "held", "--wait", "--timeout", "300ms", "-n", space]);
        var waiting = server.OrcAsync(["delete", "configmap", "held", "--wait", "--timeout", "30s", "-n", space]);
        (await server.KubectlAsync(["patch", "configmap", "held", "-n", space, "--type=merge", "-p", "{\"metadata\":{\"finalizers\":null}}"])).OrThrow();

        Assert.Equal(ExitCodes.TimedOut, late.ExitCode);
        Assert.Contains("example.org/hold", late.Errors, StringComparison.Ordinal);
        Assert.Contains((await waiting).ExitCode, new[] { ExitCodes.Done, ExitCodes.NotFound });
    }

    [Fact]
    public async Task Version_and_kinds_are_shown()
    {
        Assert.Matches("^Client: [0-9.]+\nServer: v1[.][0-9]+[.][^ ]+ at https://127.0.0.1:[0-9]+\n$", await Ok("version"));
        Assert.Contains("webapps", await Ok("api-resources"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_the_name_of_a_kubectl_plugin_it_is_the_same()
    {
        using var folder = new TemporaryFolder();
        File.CreateSymbolicLink(folder["kubectl-orc"], ServerFixture.OrcPath);

        var plugin = await Command.RunAsync(folder["kubectl-orc"], ["version", "--client"], cancellationToken: TestContext.Current.CancellationToken);

        var help = await Command.RunAsync(folder["kubectl-orc"], ["rollout", "undo", "--help"], cancellationToken: TestContext.Current.CancellationToken);
        var wrong = await Command.RunAsync(folder["kubectl-orc"], ["rollout", "nope"], cancellationToken: TestContext.Current.CancellationToken);

        Assert.StartsWith("Client: ", plugin.OrThrow().Output, StringComparison.Ordinal);
        Assert.Contains("\n  kubectl orc rollout undo <APP> [options]\n", help.OrThrow().Output, StringComparison.Ordinal);
        Assert.Contains("\n  kubectl orc rollout undo web --to-revision 3 --wait\n", help.Output, StringComparison.Ordinal);
        Assert.Contains("See `kubectl orc rollout --help`", wrong.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serve")]
    [InlineData("proxy")]
    [InlineData("apply")]
    [InlineData("hosts", "add")]
    [InlineData("hosts", "drain")]
    [InlineData("rollout", "status")]
    [InlineData("rollout", "history")]
    [InlineData("rollout", "undo")]
    [InlineData("rollout", "restart")]
    [InlineData("set", "image")]
    [InlineData("set", "env")]
    [InlineData("set", "resources")]
    public async Task Help_explains_each_option_and_the_exit_codes(params string[] command)
    {
        var help = await Ok([.. command, "--help"], kubeconfig: false);

        Assert.Contains("Exit codes:", help, StringComparison.Ordinal);
        Assert.Contains("Examples:", help, StringComparison.Ordinal);
        Assert.All(
            Lines(help).Where(line => line.StartsWith("  -", StringComparison.Ordinal)),
            option => Assert.Matches("  +[^ ].* {2,}[^ ]", option));
    }

    private Task<string> Ok(params string[] arguments) => Ok(arguments, kubeconfig: true);

    private async Task<string> Ok(string[] arguments, bool kubeconfig) => kubeconfig
        ? (await server.OrcAsync(arguments)).OrThrow().Output
        : (await Command.RunAsync(ServerFixture.OrcPath, arguments, cancellationToken: TestContext.Current.CancellationToken)).OrThrow().Output;

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
