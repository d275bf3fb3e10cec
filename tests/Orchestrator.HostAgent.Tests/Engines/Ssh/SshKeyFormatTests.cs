using Orchestrator.HostAgent.Engines.Ssh;

namespace Orchestrator.HostAgent.Tests.Engines.Ssh;

/// <summary>With keys as ssh-keygen makes them.</summary>
public sealed class SshKeyFormatTests : IDisposable
{
    private const string None = "";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ed25519", "RFC4716", None)]
    [InlineData("ecdsa", "RFC4716", None)]
    [InlineData("ecdsa", "PEM", None)]
    [InlineData("ecdsa", "PKCS8", None)]
    [InlineData("rsa", "PEM", None)]
    [InlineData("ed25519", "RFC4716", "phrase")]
    [InlineData("ecdsa", "PEM", "phrase")]
    [InlineData("ecdsa", "PKCS8", "phrase")]
    public async Task A_key_is_taken_unless_it_is_encrypted(string type, string format, string passphrase)
    {
        await World.Lab.RunAsync("ssh-keygen", "-q", "-t", type, "-m", format, "-N", passphrase, "-f", _folder["key"]);
        var text = await File.ReadAllTextAsync(_folder["key"], TestContext.Current.CancellationToken);

        if (passphrase == None)
        {
            Assert.Null(SshKeyFormat.Fault(text));
            Assert.Null(SshKeyFormat.Fault(text.TrimEnd().ReplaceLineEndings("\r\n")));
            Assert.Contains("cut off or damaged", SshKeyFormat.Fault(text[..(text.Length / 2)]), StringComparison.Ordinal);
            Assert.Contains("public key", SshKeyFormat.Fault(await File.ReadAllTextAsync(_folder["key.pub"], TestContext.Current.CancellationToken)), StringComparison.Ordinal);
        }
        else
        {
            Assert.Contains("encrypted with a passphrase", SshKeyFormat.Fault(text), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(" \n", "is empty")]
    [InlineData("PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none", "puttygen KEY -O private-openssh")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "is no private key")]
    [InlineData("hello", "is no private key")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", "cut off or damaged")]
    [InlineData("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA/////w==\n-----END OPENSSH PRIVATE KEY-----", "cut off or damaged")]
    public void What_is_no_key_is_told_from_one(string text, string says) => Assert.Contains(says, SshKeyFormat.Fault(text), StringComparison.Ordinal);
}
