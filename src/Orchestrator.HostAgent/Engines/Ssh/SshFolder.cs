using System.Diagnostics;
using System.Globalization;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// A folder for the control socket of a session, which nobody else may enter: whoever has the socket has the login. Its name says whose it
/// is, so that what a process leaves that was killed is taken away by the next.
/// </summary>
internal sealed class SshFolder : IDisposable
{
    private const string Prefix = "orc-ssh-";

    private static readonly Lazy<string> OwnPrefix = new(() =>
    {
        Sweep(System.IO.Path.GetTempPath());
        return string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Environment.ProcessId}-");
    });

    private readonly DirectoryInfo _folder;

    /// <exception cref="EngineException">It cannot be made.</exception>
    public SshFolder()
    {
        try
        {
            _folder = Directory.CreateTempSubdirectory(OwnPrefix.Value);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new EngineException(EngineFailure.Ssh, $"no folder for ssh's socket can be made in {System.IO.Path.GetTempPath()}: {failure.Message}", failure);
        }
    }

    public string Path => _folder.FullName;

    public void Dispose()
    {
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (IOException)
        {
            // An ssh that is just logging in has put its socket there meanwhile: it ends, and takes that away by itself.
        }
    }

    /// <summary>Removes folders of processes that are no more, if they are empty: ssh takes its socket away when it ends.</summary>
    internal static void Sweep(string parent)
    {
        foreach (var folder in Directory.EnumerateDirectories(parent, Prefix + "*-*"))
        {
            if (!int.TryParse(System.IO.Path.GetFileName(folder)[Prefix.Length..].Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
                || IsAlive(pid))
            {
                continue;
            }

            try
            {
                Directory.Delete(folder);
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // Not empty yet, another user's, or taken away by another process just now.
            }
        }
    }

    private static bool IsAlive(int pid)
    {
        try
        {
            Process.GetProcessById(pid).Dispose();
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
