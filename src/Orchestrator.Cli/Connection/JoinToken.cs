using System.Buffers.Text;
using System.IO.Compression;
using System.Text;

namespace Orchestrator.Cli.Connection;

/// <summary>A kubeconfig as one word, to be carried to another machine. As secret as the key that is in it.</summary>
internal static class JoinToken
{
    /// <summary>So that one is known for what it is wherever it is found.</summary>
    private const string Prefix = "orcproxy1.";

    /// <summary>Larger ones are no kubeconfigs of ours.</summary>
    private const int MostBytes = 64 * 1024;

    public static string Write(string kubeconfig)
    {
        using var packed = new MemoryStream();
        using (var packing = new BrotliStream(packed, CompressionLevel.SmallestSize))
        {
            packing.Write(Encoding.UTF8.GetBytes(kubeconfig));
        }

        return Prefix + Base64Url.EncodeToString(packed.ToArray());
    }

    /// <exception cref="CommandException">It is none, or is not whole.</exception>
    public static string Read(string token)
    {
        token = token.Trim();
        if (!token.StartsWith(Prefix, StringComparison.Ordinal))
        {
            throw new CommandException(ExitCodes.Usage, $"--join: what was given is no token of `orc proxy join-token`, which begin with {Prefix}");
        }

        try
        {
            using var unpacking = new BrotliStream(new MemoryStream(Base64Url.DecodeFromChars(token.AsSpan(Prefix.Length))), CompressionMode.Decompress);
            var bytes = new byte[MostBytes];
            var read = unpacking.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var kubeconfig = Encoding.UTF8.GetString(bytes, 0, read);
            return kubeconfig.EndsWith("current-context: orchestrator\n", StringComparison.Ordinal) ? kubeconfig : throw new FormatException();
        }
        catch (Exception torn) when (torn is FormatException or InvalidOperationException or InvalidDataException or IOException)
        {
            throw new CommandException(ExitCodes.Usage, "--join: the token is not whole: copy all of it, one line, or give it as a file: --join - < FILE", torn);
        }
    }
}
