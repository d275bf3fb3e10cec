namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// A folder for what a session with one engine needs as files: the control socket, with which one has the login, and the key of a Secret.
/// Nobody else may enter it. A lock in it says that its process lives, so that what a process leaves that was killed is taken away
/// by the next: not the number of that process, which in a container is the same again after each start.
/// </summary>
internal sealed class SshFolder : IDisposable
{
    private const string Prefix = "orc-ssh-";
    private const string LockFile = "lock";

    /// <summary>One without a lock is just being made, or was left at that very moment.</summary>
    private static readonly TimeSpan Unfinished = TimeSpan.FromMinutes(1);

    private static int _swept;

    private readonly DirectoryInfo _folder;
    private readonly FileStream _lock;
    private readonly List<string> _written = [];

    /// <exception cref="EngineException">It cannot be made.</exception>
    public SshFolder(TimeProvider time)
    {
        SweepOnce(time);
        try
        {
            // With the mode 0700, whatever the umask.
            _folder = Directory.CreateTempSubdirectory(Prefix);
            _lock = Create(LockFile);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(failure);
        }
    }

    public string Path => _folder.FullName;

    /// <summary>
    /// False when something of what was written is gone: cleaners of temporary folders take away what nobody has touched for days, and a
    /// session may last for months.
    /// </summary>
    public bool IsWhole => _written.TrueForAll(File.Exists);

    /// <returns>The path of a new file, which nobody else may read.</returns>
    /// <exception cref="EngineException">It cannot be written.</exception>
    public string Write(string name, string content)
    {
        try
        {
            using var writer = new StreamWriter(Create(name));
            writer.Write(content);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Unwritable(failure);
        }

        return In(name);
    }

    public void Dispose()
    {
        try
        {
            _folder.Delete(recursive: true);
        }
        catch (IOException)
        {
            // An ssh that is just logging in has put its socket there meanwhile: that goes with its end, the folder with the next sweep.
        }

        _lock.Dispose();
    }

    /// <summary>Takes away what processes left that were killed, keys among it. The first call of a process does it, which is enough.</summary>
    public static void SweepOnce(TimeProvider time)
    {
        if (Interlocked.Exchange(ref _swept, 1) == 0)
        {
            Sweep(System.IO.Path.GetTempPath(), time.GetUtcNow().UtcDateTime);
        }
    }

    internal static void Sweep(string parent, DateTime now)
    {
        foreach (var folder in Directory.EnumerateDirectories(parent, Prefix + "*"))
        {
            try
            {
                if (IsLeft(folder, now))
                {
                    Directory.Delete(folder, recursive: true);
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // Locked by who lives, another user's, or taken away by another process just now.
            }
        }
    }

    private static bool IsLeft(string folder, DateTime now)
    {
        var file = System.IO.Path.Combine(folder, LockFile);
        if (!File.Exists(file))
        {
            return now - Directory.GetLastWriteTimeUtc(folder) > Unfinished;
        }

        // Fails while it is open anywhere: the kernel closes what a process leaves open.
        using var locked = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        return true;
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);

    private FileStream Create(string name)
    {
        _written.Add(In(name));
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(In(name), options);
    }

    private static EngineException Unwritable(Exception failure) => new(
        EngineFailure.Ssh, $"no folder for ssh's socket and key can be made in {System.IO.Path.GetTempPath()}: {failure.Message}", failure);
}
