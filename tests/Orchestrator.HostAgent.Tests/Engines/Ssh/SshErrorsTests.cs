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
        var explained = SshErrors.Explain(EngineEndpoint.Parse("ssh://deploy@host:2222"), exitCode, words);

        Assert.True(explained.Failure == failure, $"{name}: {explained.Failure}: {explained.Message}");
        Assert.Contains(says, explained.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_machine_says_is_a_line_of_no_more_than_so_much()
    {
        var explained = SshErrors.Explain(EngineEndpoint.Parse("ssh://host"), 1, $"first\na\tb {new string('x', 100_000)}");

        Assert.EndsWith("x…", explained.Message, StringComparison.Ordinal);
        Assert.InRange(explained.Message.Length, EngineErrors.MaxLength, EngineErrors.MaxLength + 100);
        Assert.DoesNotContain('\t', explained.Message);
    }
}
