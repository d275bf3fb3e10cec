using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Tests.Engines.Ssh;

public sealed class SshKnownHostsTests
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPZ4l3pA2PBkbC5VYd8m6kG8Gd0m4m0mJH0xY4Yy3a1z";

    [Theory]
    [InlineData($"host {Key}\n")]
    [InlineData($"# host:22 SSH-2.0-OpenSSH\r\n\r\n[10.0.0.1]:2222,host\t{Key} a comment\r\n")]
    [InlineData($"@cert-authority *.example.org {Key}")]
    [InlineData($"|1|JfKTdBh7rNbXkVAQCRp4OQoPfmI=|USECr3SWf1JUPsms5AqfD5QfxkM= {Key}")]
    public void Lists_of_keys_are_taken(string text) => Assert.Null(SshKnownHosts.Fault(text));

    [Theory]
    [InlineData("", "has no host key:")]
    [InlineData("# only words\n", "has no host key:")]
    [InlineData(Key, "in its line 1")]
    [InlineData($"host {Key}\nhost ssh-ed25519\n", "in its line 2")]
    [InlineData($"@revoked {Key}", "in its line 1")]
    public void What_ssh_would_skip_is_told(string text, string says) => Assert.Contains(says, SshKnownHosts.Fault(text), StringComparison.Ordinal);
}
