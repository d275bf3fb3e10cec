using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Orchestrator.Cli.Manifests;

namespace Orchestrator.Cli.Tests.Commands;

/// <summary>Hosts as they are written down, with the secrets that reach them; no engine is asked.</summary>
public sealed class HostsTests(ServerFixture server)
{
    [Fact]
    public async Task Hosts_are_added_cordoned_and_removed_with_their_secrets()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in new[] { "ca.pem", "cert.pem", "key.pem" })
        {
            await File.WriteAllTextAsync(folder[file], file, TestContext.Current.CancellationToken);
        }

        await Ok("hosts", "add", "h1", "--endpoint", "tcp://127.0.0.1:1", "--tls-dir", folder.Path, "--label", "zone=a", "--port-range", "21000-21999", "--no-check");
        var host = JsonNode.Parse(await Ok("get", "dockerhost", "h1", "-o", "json"))!;
        Assert.Equal("""{"endpoint":"tcp://127.0.0.1:1","portRange":{"first":21000,"last":21999},"tlsSecretName":"h1-docker-tls"}""", GoJson.Write(host["spec"]));
        Assert.Equal("a", (string?)host["metadata"]!["labels"]!["zone"]);
        Assert.Contains("there is a host h1 already", (await server.OrcAsync(["hosts", "add", "h1", "--endpoint", "tcp://127.0.0.1:1"])).Errors, StringComparison.Ordinal);
        await Ok("hosts", "cordon", "h1");
        Assert.Contains("true", await Ok("hosts", "list"), StringComparison.Ordinal);
        await Ok("hosts", "uncordon", "h1");
        Assert.Contains("secret/h1-docker-tls deleted", await Ok("hosts", "remove", "h1"), StringComparison.Ordinal);
        Assert.DoesNotContain("h1-docker-tls", await Ok("get", "secrets", "-n", "orchestrator-system", "-o", "name"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_by_ssh_is_added_with_its_key_and_the_host_keys_to_trust()
    {
        using var folder = new TemporaryFolder();
        (await Command.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder["key"]])).OrThrow();
        var known = $"127.0.0.1 {await File.ReadAllTextAsync(folder["key.pub"], TestContext.Current.CancellationToken)}";
        await File.WriteAllTextAsync(folder["known"], known, TestContext.Current.CancellationToken);
        string[] add = ["hosts", "add", "far", "--endpoint", "ssh://root@127.0.0.1:1", "--no-check", "--ssh-key", folder["key"]];

        await Ok([.. add, "--ssh-known-hosts", folder["known"]]);
        Assert.Equal(
            """{"endpoint":"ssh://root@127.0.0.1:1","sshSecretName":"far-docker-ssh"}""",
            GoJson.Write(JsonNode.Parse(await Ok("get", "dockerhost", "far", "-o", "json"))!["spec"]));
        var secret = await SecretAsync();
        Assert.Equal("kubernetes.io/ssh-auth", (string?)secret["type"]);
        Assert.Equal(known, Text(secret, "known_hosts"));
        Assert.Equal(await File.ReadAllTextAsync(folder["key"], TestContext.Current.CancellationToken), Text(secret, "ssh-privatekey"));

        // Left by a host that went without us: what it trusted is not to be trusted for the next of that name.
        await Ok("delete", "dockerhost", "far");
        await Ok(add);
        Assert.Null((await SecretAsync())["data"]!["known_hosts"]);
        Assert.Contains("secret/far-docker-ssh deleted", await Ok("hosts", "remove", "far"), StringComparison.Ordinal);

        async Task<JsonNode> SecretAsync() => JsonNode.Parse(await Ok("get", "secret", "far-docker-ssh", "-n", "orchestrator-system", "-o", "json"))!;
        static string Text(JsonNode secret, string key) => Encoding.UTF8.GetString(Convert.FromBase64String((string)secret["data"]![key]!));
    }

    [Theory]
    [InlineData("known", "ssh://127.0.0.1", "--ssh-key: {0} is no private key")]
    [InlineData("open", "ssh://127.0.0.1", "--ssh-key {0}: others than its owner may read it")]
    [InlineData("key", "tcp://127.0.0.1:1", "takes no --ssh-key")]
    public async Task A_key_that_does_not_do_is_refused_before_anything_is_asked_or_stored(string file, string endpoint, string says)
    {
        using var folder = new TemporaryFolder();
        (await Command.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder["key"]])).OrThrow();
        await File.WriteAllTextAsync(folder["known"], "host", TestContext.Current.CancellationToken);
        (await Command.RunAsync("install", ["--mode=640", folder["key"], folder["open"]])).OrThrow();

        var refused = await server.OrcAsync(["hosts", "add", "far2", "--endpoint", endpoint, "--ssh-key", folder[file]]);

        Assert.NotEqual(ExitCodes.Done, refused.ExitCode);
        Assert.Contains(string.Format(CultureInfo.InvariantCulture, says, folder[file]), refused.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Give --endpoint")]
    [InlineData("goes with none of --endpoint", "--endpoint", "tcp://127.0.0.1:1", "--docker-context", "production")]
    [InlineData("no such context", "--docker-context", "no-such-context")]
    public async Task A_host_is_either_an_endpoint_or_a_context(string why, params string[] options)
    {
        var refused = await server.OrcAsync(["hosts", "add", "h2", .. options]);

        Assert.NotEqual(ExitCodes.Done, refused.ExitCode);
        Assert.Contains(why, refused.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_the_server_refuses_leaves_no_secret_behind()
    {
        using var folder = new TemporaryFolder();
        foreach (var file in new[] { "ca.pem", "cert.pem", "key.pem" })
        {
            await File.WriteAllTextAsync(folder[file], file, TestContext.Current.CancellationToken);
        }

        var refused = await server.OrcAsync(["hosts", "add", "Bad_Name", "--endpoint", "tcp://127.0.0.1:1", "--tls-dir", folder.Path, "--no-check"]);

        Assert.Equal(ExitCodes.Failed, refused.ExitCode);
        Assert.DoesNotContain("bad", await Ok("get", "secrets", "-A", "-o", "name"), StringComparison.OrdinalIgnoreCase);
    }

    private async Task<string> Ok(params string[] arguments) => (await server.OrcAsync(arguments)).OrThrow().Output;
}
