using Orchestrator.HostAgent.Engines;
using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Tests.Engines.Ssh;

public sealed class SshArgumentsTests
{
    private const string Always =
        "-T -a -x -o BatchMode=yes -o LogLevel=ERROR -o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=3"
        + " -o ClearAllForwardings=yes -o RemoteCommand=none";

    [Theory]
    [InlineData("ssh://host", "-- host docker system dial-stdio")]
    [InlineData("ssh://deploy@host:2222", "-l deploy -p 2222 -- host docker system dial-stdio")]
    [InlineData("ssh://[fd00::1]/run/docker.sock", "-- fd00::1 docker --host unix:///run/docker.sock system dial-stdio")]
    public void Host_and_command_come_after_all_options(string endpoint, string end) => Assert.Equal(
        $"{Always} -o ControlMaster=auto -o ControlPath=/tmp/x/c -o ControlPersist=no {end}",
        string.Join(' ', SshArguments.For(EngineEndpoint.Parse(endpoint), "/tmp/x/c", null)));

    [Fact]
    public void Without_a_place_for_its_socket_each_connection_is_by_itself() => Assert.Equal(
        $"{Always} -o ControlMaster=no -o ControlPath=none -o ControlPersist=no -- host docker system dial-stdio",
        string.Join(' ', SshArguments.For(EngineEndpoint.Parse("ssh://host"), null, null)));

    [Fact]
    public void A_percent_sign_in_the_path_is_no_token_of_sshs() =>
        Assert.Contains("ControlPath=/tmp/100%%h/c", SshArguments.For(EngineEndpoint.Parse("ssh://host"), "/tmp/100%h/c", null));

    [Theory]
    [InlineData(null, "")]
    [InlineData("/x y/hosts", " -o StrictHostKeyChecking=yes -o UserKnownHostsFile=\"/x y/hosts\" -o GlobalKnownHostsFile=/dev/null -o VerifyHostKeyDNS=no -o CheckHostIP=no")]
    public void With_a_key_of_a_Secret_no_other_of_ssh_counts(string? knownHosts, string hosts) => Assert.EndsWith(
        $"-o ControlPersist=no -i /x%%y/key -o IdentitiesOnly=yes -o IdentityAgent=none -o PreferredAuthentications=publickey{hosts} -- host docker system dial-stdio",
        string.Join(' ', SshArguments.For(EngineEndpoint.Parse("ssh://host"), null, new SshIdentityFiles("/x%y/key", knownHosts))), StringComparison.Ordinal);
}
