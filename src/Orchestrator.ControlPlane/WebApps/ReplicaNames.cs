using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.ControlPlane.WebApps;

/// <summary>
/// Names of an app's replicas, <c>{app}-{revision}-{5 characters}</c>: a fixed sequence for each app and revision, of which the
/// first free ones are taken. A controller that repeats a create, because it crashed or because its cache is behind, asks for
/// the same name and is told that it exists.
/// </summary>
internal static class ReplicaNames
{
    private const int SuffixLength = 5;

    // As in RevisionHash: Kubernetes' alphabet for generated names.
    private const string Alphabet = "bcdfghjklmnpqrstvwxz2456789";

    /// <summary>The sequence; it does not end, and has no name twice among those it has given.</summary>
    /// <param name="appUid">An app that is made again under its name gets other names: its predecessor's may still be draining.</param>
    public static IEnumerable<string> Of(string app, string appUid, string revision)
    {
        var given = new HashSet<string>(StringComparer.Ordinal);
        for (var ordinal = 0; ; ordinal++)
        {
            var suffix = Suffix(string.Create(CultureInfo.InvariantCulture, $"{appUid}/{revision}/{ordinal}"));
            if (given.Add(suffix))
            {
                yield return $"{app}-{revision}-{suffix}";
            }
        }
    }

    private static string Suffix(string seed)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(seed));
        return string.Create(SuffixLength, digest, static (name, bytes) =>
        {
            for (var i = 0; i < name.Length; i++)
            {
                name[i] = Alphabet[bytes[i] % Alphabet.Length];
            }
        });
    }
}
