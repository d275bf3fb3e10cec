namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>Finds out what is wrong with a list of host keys (<c>sshd(8)</c>, SSH_KNOWN_HOSTS FILE FORMAT), of which ssh skips what it cannot read.</summary>
public static class SshKnownHosts
{
    /// <returns>What is wrong and what to do, to follow the name of where the list is from; null if each line is a key.</returns>
    public static string? Fault(string text)
    {
        var found = false;
        var number = 0;
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            number++;
            if (line.Length == 0 || line.StartsWith('#'))
            {
                continue;
            }

            if (!IsKey(line))
            {
                return $"has no host key in its line {number}: a line is NAME TYPE KEY, such as `ssh-keyscan HOST` prints";
            }

            found = true;
        }

        return found ? null : "has no host key: a line is NAME TYPE KEY, such as `ssh-keyscan HOST` prints";
    }

    private static bool IsKey(string line)
    {
        var words = line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var key = words is ["@cert-authority" or "@revoked", ..] ? words[1..] : words;
        return key.Length >= 3 && Convert.TryFromBase64String(key[2], new byte[key[2].Length], out _);
    }
}
