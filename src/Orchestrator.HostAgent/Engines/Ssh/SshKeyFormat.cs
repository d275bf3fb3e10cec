using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// Finds out what is wrong with a private key before ssh is given it, which would only say that it was not let in. Formats: OpenSSH's own
/// (PROTOCOL.key of OpenSSH) and PEM.
/// </summary>
public static class SshKeyFormat
{
    private static readonly string[] PublicStarts = ["ssh-", "ecdsa-", "sk-", "---- BEGIN SSH2 PUBLIC KEY", "-----BEGIN PUBLIC KEY"];
    private static readonly byte[] OpenSshMagic = [.. "openssh-key-v1"u8, 0];

    /// <returns>What is wrong and what to do, to follow the name of where the key is from; null for a key that ssh can read by itself.</returns>
    public static string? Fault(string text)
    {
        text = text.Trim();
        return text.Length == 0 ? "is empty: a private key is needed, as `ssh-keygen -t ed25519` makes one"
            : PublicStarts.Any(start => text.StartsWith(start, StringComparison.Ordinal))
                ? "is a public key: the private one is needed, from the file of the same name without .pub"
            : text.StartsWith("PuTTY-User-Key-File", StringComparison.Ordinal)
                ? "is in PuTTY's format: `puttygen KEY -O private-openssh -o NEW` makes a file that ssh reads"
            : !text.StartsWith("-----BEGIN ", StringComparison.Ordinal) || !FirstLine(text).EndsWith("PRIVATE KEY-----", StringComparison.Ordinal)
                ? "is no private key: its first line must be such as -----BEGIN OPENSSH PRIVATE KEY-----"
            : IsEncryptedPem(text) ? Encrypted
            : !PemEncoding.TryFind(text, out var fields) ? "is cut off or damaged: it must be whole, from its line BEGIN to its line END"
            : text[fields.Label] == "OPENSSH PRIVATE KEY" ? FaultOfOpenSsh(Convert.FromBase64String(text[fields.Base64Data]))
            : null;
    }

    private const string Encrypted =
        "is encrypted with a passphrase, which nobody is there to type: `ssh-keygen -p -N '' -f COPY` takes it off a copy";

    private static string? FaultOfOpenSsh(ReadOnlySpan<byte> key)
    {
        // The name of its cipher comes first: 4 bytes of length, and the name.
        if (!key.StartsWith(OpenSshMagic)
            || key[OpenSshMagic.Length..] is not [_, _, _, _, ..] rest
            || BinaryPrimitives.ReadUInt32BigEndian(rest) is var length && length > rest.Length - 4)
        {
            return "is cut off or damaged: it says to be OpenSSH's, and is not in its format";
        }

        return Encoding.ASCII.GetString(rest.Slice(4, (int)length)) == "none" ? null : Encrypted;
    }

    private static bool IsEncryptedPem(string text) =>
        FirstLine(text).Contains("ENCRYPTED", StringComparison.Ordinal) || text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal);

    private static string FirstLine(string text) => text.Split('\n', 2)[0].TrimEnd();
}
