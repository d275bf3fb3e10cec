using System.Text;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Api;
using Orchestrator.Api.DockerHosts;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Tests.World;
using Orchestrator.Runtime;

namespace Orchestrator.HostAgent.Tests;

/// <summary>Keys and known hosts from Secrets, with a real ssh and a server of its own, at a name where ssh itself has no key that is let in.</summary>
[Collection(LabCollection.Name)]
public sealed class SshSecretTests(AgentWorld world, SshHost ssh) : IClassFixture<SshHost>
{
    private const string Endpoint = "ssh://root@keyless:2222";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_key_of_a_Secret_logs_in_and_is_there_for_us_alone_while_it_is_needed()
    {
        await WriteAsync("ssh-good", ssh.Server.Key, ssh.Server.KnownHosts);
        string key;
        using (var engine = await ConnectAsync("ssh-good"))
        {
            await using var events = await engine.OpenEventsAsync("nobody", Cancelled);
            key = Assert.Single(ssh.Server.KeyFilesOfClients());
            Assert.Equal("600 700", $"{await Lab.RunAsync("stat", "--format", "%a", key)} {await Lab.RunAsync("stat", "--format", "%a", Path.GetDirectoryName(key)!)}");
        }

        Assert.False(Directory.Exists(Path.GetDirectoryName(key)));
        await SeeNoClientAsync();
    }

    [Theory]
    [InlineData("missing", "there is no Secret ssh-missing (spec.sshSecretName) in namespace orchestrator-system")]
    [InlineData("keyless", "the Secret ssh-keyless (spec.sshSecretName) has no key ssh-privatekey")]
    [InlineData("public", "the Secret ssh-public (spec.sshSecretName): ssh-privatekey is a public key: the private one is needed")]
    [InlineData("refused", "lets nobody in with ssh-privatekey of the Secret ssh-refused (spec.sshSecretName)")]
    [InlineData("unknown", "the host key of keyless is not in known_hosts of the Secret ssh-unknown (spec.sshSecretName): add what `ssh-keyscan -p 2222 keyless` prints")]
    [InlineData("changed", "the host key of keyless is another than known_hosts of the Secret ssh-changed (spec.sshSecretName) has")]
    [InlineData("listless", "the Secret ssh-listless (spec.sshSecretName): known_hosts has no host key in its line 1")]
    public async Task A_Secret_that_does_not_do_is_told_with_what_to_do(string name, string says)
    {
        var server = ssh.Server;
        var (key, knownHosts) = name switch
        {
            "keyless" => (null, server.KnownHosts),
            "public" => ("ssh-ed25519 AAAA", null),
            "refused" => (server.StrangeKey, server.KnownHosts),
            "unknown" => (server.Key, server.KnownHosts.Replace(server.Address, "192.0.2.1", StringComparison.Ordinal)),
            "changed" => (server.Key, server.OtherKnownHosts),
            "listless" => (server.Key, "keyless"),
            _ => (server.Key, (string?)null),
        };
        if (name != "missing")
        {
            await WriteAsync($"ssh-{name}", key, knownHosts);
        }

        var failure = await Assert.ThrowsAsync<EngineException>(async () => (await ConnectAsync($"ssh-{name}")).Dispose());

        Assert.Equal(EngineFailure.Ssh, failure.Failure);
        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_changed_Secret_takes_effect_and_a_mistaken_one_takes_no_host_away()
    {
        await WriteAsync("ssh-changing", ssh.Server.StrangeKey, ssh.Server.KnownHosts);
        await world.Hosts.CreateAsync(HostOf("by-key", "ssh-changing"), Cancelled);
        await SeeReadyAsync(Conditions.False, "lets nobody in with ssh-privatekey of the Secret ssh-changing");
        await SeeReadyAsync(Conditions.False, "refused once, and so as not to be banned there it is tried again at");

        await WriteAsync("ssh-changing", ssh.Server.Key, ssh.Server.KnownHosts);
        await SeeReadyAsync(Conditions.True, "");

        await WriteAsync("ssh-changing", "not a key", ssh.Server.KnownHosts);
        await SeeReadyAsync(Conditions.True, "the connection from before is kept: the Secret ssh-changing (spec.sshSecretName): ssh-privatekey is no private key");

        var logins = ssh.Server.Logins;
        await WriteAsync("ssh-changing", ssh.Server.Key, null);
        await Eventually.See(async () => (await world.Hosts.GetAsync(new ObjectKey(null, "by-key"), Cancelled))!.Status!.Conditions!.Single(one => one.Type == ConditionTypes.Ready).Message ?? "", message => message.Length == 0);
        await Eventually.True(() => Task.FromResult(ssh.Server.Logins > logins));

        await world.Hosts.DeleteAsync(new ObjectKey(null, "by-key"), null, Cancelled);
        await SeeNoClientAsync();
    }

    private static DockerHost HostOf(string name, string secret) =>
        new() { Metadata = new V1ObjectMeta { Name = name }, Spec = new DockerHostSpec { Endpoint = Endpoint, SshSecretName = secret, PublishAddress = "127.0.0.1" } };

    private Task<DockerHost> SeeReadyAsync(string status, string says) => world.SeeHostAsync("by-key", seen =>
        Conditions.Find(seen.Status?.Conditions, ConditionTypes.Ready) is { } ready && ready.Status == status
        && (ready.Message ?? "").Contains(says, StringComparison.Ordinal));

    private Task<IEngine> ConnectAsync(string secret) => new EngineConnector(world.Kubernetes, TimeProvider.System).ConnectAsync(
        HostOf("by-key-alone", secret), new EnginePipeline("by-key-alone", TimeProvider.System), Cancelled);

    private Task SeeNoClientAsync() => Eventually.See(() => string.Join(' ', ssh.Server.Clients()), seen => seen.Length == 0);

    private async Task WriteAsync(string name, string? key, string? knownHosts)
    {
        var texts = new[] { ("ssh-privatekey", key), ("known_hosts", knownHosts) };
        var secret = new V1Secret
        {
            Metadata = new V1ObjectMeta { Name = name, NamespaceProperty = ApiGroup.SystemNamespace },
            Data = texts.Where(text => text.Item2 is not null).ToDictionary(text => text.Item1, text => Encoding.UTF8.GetBytes(text.Item2!)),
        };
        try
        {
            await world.Kubernetes.CoreV1.CreateNamespacedSecretAsync(secret, ApiGroup.SystemNamespace, cancellationToken: Cancelled);
        }
        catch (HttpOperationException failure) when (failure.Response.StatusCode == System.Net.HttpStatusCode.Conflict)
        {
            await world.Kubernetes.CoreV1.ReplaceNamespacedSecretAsync(secret, name, ApiGroup.SystemNamespace, cancellationToken: Cancelled);
        }
    }
}
