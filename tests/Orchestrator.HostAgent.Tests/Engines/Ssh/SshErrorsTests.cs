using System.Text;
using k8s.Models;
using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Tests.Engines.Ssh;

/// <summary>The words are those of OpenSSH 9.2 and of Docker 20.10 and 28, as they were seen.</summary>
public sealed class SshErrorsTests
{
    public static TheoryData<string, int, string, EngineFailure, string> Seen => new()
    {
        { "no such name", 255, "ssh: Could not resolve hostname host: Name or service not known", EngineFailure.Unreachable, "the name host cannot be resolved" },
        { "refused", 255, "ssh: connect to host 10.0.0.1 port 22: Connection refused", EngineFailure.Refused, "does an ssh server run and listen there?" },
        { "silent", 255, "ssh: connect to host 10.0.0.1 port 22: Connection timed out", EngineFailure.Unreachable, "no connection to ssh://deploy@host:2222: ssh: connect to host 10.0.0.1 port 22: Connection timed out" },
        { "no route", 255, "ssh: connect to host 10.0.0.1 port 22: No route to host", EngineFailure.Unreachable, "No route to host" },
        { "mute", 255, "Connection timed out during banner exchange\nConnection to 10.0.0.1 port 22 timed out", EngineFailure.Unreachable, "timed out" },
        { "too many", 255, "kex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.0.1 port 22", EngineFailure.Unreachable, "MaxStartups" },
        { "too many, reset", 255, "kex_exchange_identification: read: Connection reset by peer\nConnection reset by 10.0.0.1 port 22", EngineFailure.Unreachable, "MaxStartups" },
        { "wrong key", 255, "deploy@host: Permission denied (publickey,password).", EngineFailure.Ssh, "`ssh -p 2222 deploy@host` must work as that user without asking" },
        { "key for all", 255, "Permissions 0666 for '/k' are too open.\nLoad key \"/k\": bad permissions\ndeploy@host: Permission denied (publickey).", EngineFailure.Ssh, "lets nobody in" },
        { "too many keys", 255, "Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures\nDisconnected from 10.0.0.1 port 22", EngineFailure.Ssh, "lets nobody in" },
        { "unknown host", 255, "No ED25519 host key is known for host and you have requested strict checking.\nHost key verification failed.", EngineFailure.Ssh, "the host key of host is not known here: connect once by hand" },
        { "changed host", 255, "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key for host has changed and you have requested strict checking.\nHost key verification failed.", EngineFailure.Ssh, "is another than the known one" },
        { "bad configuration", 255, "/root/.ssh/config: line 1: Bad configuration option: nonsense\n/root/.ssh/config: terminating, 1 bad configuration options", EngineFailure.Ssh, "1 bad configuration options" },
        { "lost", 255, "Timeout, server host not responding.", EngineFailure.Interrupted, "was lost" },
        { "lost without a word", 255, "", EngineFailure.Interrupted, "was lost" },
        { "killed", 137, "", EngineFailure.Interrupted, "was lost" },
        { "no docker", 127, "bash: line 1: docker: command not found", EngineFailure.Refused, "install Docker's client there" },
        { "old docker", 1, "docker: 'dial-stdio' is not a docker command.\nSee 'docker --help'", EngineFailure.Incompatible, "at least 18.09 is needed" },
        { "not in the group", 1, "Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied", EngineFailure.Refused, "the user deploy has no permission to use the engine's socket on host" },
        { "no engine", 1, "failed to open the raw stream connection: dial unix /var/run/docker.sock: connect: no such file or directory", EngineFailure.Refused, "is Docker installed and running there?" },
        { "engine down", 1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", EngineFailure.Refused, "is Docker installed and running there?" },
        { "anything else", 1, "unable to resolve docker endpoint: context \"x\": not found", EngineFailure.Failed, "unable to resolve docker endpoint" },
        { "ended", 0, "", EngineFailure.Interrupted, "was lost" },
        { "no room", 1, "mux_client_request_session: session request failed: Session open refused by peer\r\nControlSocket /tmp/x/c already exists, disabling multiplexing\r\n", EngineFailure.Interrupted, "was lost" },
    };

    [Theory]
    [MemberData(nameof(Seen))]
    public void Each_failure_has_its_sentence(string name, int exitCode, string words, EngineFailure failure, string says)
    {
        var explained = SshErrors.Explain(EngineEndpoint.Parse("ssh://deploy@host:2222"), null, exitCode, words);

        Assert.True(explained.Failure == failure, $"{name}: {explained.Failure}: {explained.Message}");
        Assert.Contains(says, explained.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, "deploy@host: Permission denied (publickey).", "lets nobody in with ssh-privatekey of the Secret keys (spec.sshSecretName) (deploy@host: Permission denied (publickey).): add its public key")]
    [InlineData(false, "Load key \"/tmp/orc-ssh-x/key\": error in libcrypto\r\ndeploy@host: Permission denied (publickey).", "ssh cannot read ssh-privatekey of the Secret keys (spec.sshSecretName) (error in libcrypto)")]
    [InlineData(false, "No ED25519 host key is known for host.\r\nHost key verification failed.", "give the Secret keys (spec.sshSecretName) a key known_hosts with what `ssh-keyscan -p 2222 host` prints")]
    [InlineData(true, "No ED25519 host key is known for host.\r\nHost key verification failed.", "is not in known_hosts of the Secret keys (spec.sshSecretName): add what `ssh-keyscan -p 2222 host` prints")]
    [InlineData(true, "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.", "is another than known_hosts of the Secret keys (spec.sshSecretName) has")]
    public async Task With_a_key_of_a_Secret_it_is_the_Secret_that_is_to_be_mended(bool pinned, string words, string says)
    {
        using var folder = new TemporaryFolder();
        await World.Lab.RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder["key"]);
        var data = new Dictionary<string, byte[]> { ["ssh-privatekey"] = await File.ReadAllBytesAsync(folder["key"], TestContext.Current.CancellationToken) };
        if (pinned)
        {
            data["known_hosts"] = Encoding.UTF8.GetBytes($"host {await File.ReadAllTextAsync(folder["key.pub"], TestContext.Current.CancellationToken)}");
        }

        var identity = SshIdentity.Parse(new EngineSecret("keys", "spec.sshSecretName", EngineFailure.Ssh, new V1Secret { Data = data }));
        var explained = SshErrors.Explain(EngineEndpoint.Parse("ssh://deploy@host:2222"), identity, 255, words);

        Assert.Equal(EngineFailure.Ssh, explained.Failure);
        Assert.Contains(says, explained.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("orc-ssh-", explained.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_machine_says_is_a_line_of_no_more_than_so_much()
    {
        var explained = SshErrors.Explain(EngineEndpoint.Parse("ssh://host"), null, 1, $"first\na\tb {new string('x', 100_000)}");

        Assert.EndsWith("x…", explained.Message, StringComparison.Ordinal);
        Assert.InRange(explained.Message.Length, EngineErrors.MaxLength, EngineErrors.MaxLength + 100);
        Assert.DoesNotContain('\t', explained.Message);
    }
}
