using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// The key that a host's Secret has us log in with, and the host keys that alone are trusted then, where it holds any. The key's names are
/// those of Kubernetes' type <c>kubernetes.io/ssh-auth</c>.
/// </summary>
internal sealed class SshIdentity
{
    public const string PrivateKeyKey = "ssh-privatekey";
    public const string KnownHostsKey = "known_hosts";

    private readonly EngineSecret _secret;
    private readonly string _key;
    private readonly string? _knownHosts;

    private SshIdentity(EngineSecret secret, string key, string? knownHosts)
    {
        _secret = secret;

        // ssh reads no key whose last line has no end, and none with the line ends of Windows.
        _key = key.ReplaceLineEndings("\n").TrimEnd() + "\n";
        _knownHosts = knownHosts?.ReplaceLineEndings("\n");
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{secret}\0{_key}\0{_knownHosts}")));
    }

    /// <summary>Tells one identity from another, by its Secret and what that holds. Not to be shown, though no key can be read out of it.</summary>
    public string Fingerprint { get; }

    public bool HasKnownHosts => _knownHosts is not null;

    /// <exception cref="EngineException">A key is missing, or is not what it should be.</exception>
    public static SshIdentity Parse(EngineSecret secret)
    {
        var (key, knownHosts) = (secret.Text(PrivateKeyKey), secret.Find(KnownHostsKey));
        return SshKeyFormat.Fault(key) is { } faultOfKey ? throw secret.Odd($"{PrivateKeyKey} {faultOfKey}")
            : knownHosts is not null && SshKnownHosts.Fault(knownHosts) is { } faultOfHosts ? throw secret.Odd($"{KnownHostsKey} {faultOfHosts}")
            : new SshIdentity(secret, key, knownHosts);
    }

    /// <summary>Writes what ssh takes from files only.</summary>
    public SshIdentityFiles WriteTo(SshFolder folder) =>
        new(folder.Write("key", _key), _knownHosts is null ? null : folder.Write("known_hosts", _knownHosts));

    /// <summary>The Secret that it is from, and the field that names that.</summary>
    public override string ToString() => _secret.ToString();
}

/// <summary>Paths.</summary>
/// <param name="KnownHosts">Null where ssh's own lists count.</param>
internal sealed record SshIdentityFiles(string Key, string? KnownHosts);
