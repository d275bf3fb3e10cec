using System.Text;

namespace Orchestrator.ApiServer;

/// <summary>Files that only their owner may read, never half written: made aside, flushed to disk, then renamed.</summary>
internal static class PrivateFile
{
    /// <summary>What a fresh file system has in its root.</summary>
    private const string LostAndFound = "lost+found";

    /// <summary>Files by which a folder is known as one of ours: a data folder's lock, its proxy's, the authority's key.</summary>
    private static readonly string[] Marks = ["lock", Path.Combine("proxy", "lock"), "ca.key"];

    /// <summary>Makes a folder that only its owner may enter, or makes one that is empty or ours such a folder.</summary>
    /// <exception cref="IOException">
    /// Others may enter it and it holds something else: <c>/tmp</c> closed to all others would be worse than no server.
    /// </exception>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        const UnixFileMode Others = (UnixFileMode)0b000_111_111;
        Directory.CreateDirectory(path, Mode);

        // It may have been there with another mode.
        if ((File.GetUnixFileMode(path) & Others) == default)
        {
            return;
        }

        if (!IsEmpty(path) && !Marks.Any(mark => File.Exists(Path.Combine(path, mark))))
        {
            throw new IOException(
                $"the folder {path} may be entered by others and holds what is not ours: name one that is new or empty, or let only its owner enter it (chmod 700)");
        }

        File.SetUnixFileMode(path, Mode);
    }

    /// <summary>An empty file, where there is none.</summary>
    public static void CreateIfMissing(string path)
    {
        if (!File.Exists(path))
        {
            Create(path).Dispose();
        }
    }

    public static void Write(string path, string text)
    {
        var aside = path + ".new";
        File.Delete(aside);
        using (var file = Create(aside))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(aside, path, overwrite: true);
    }

    private static bool IsEmpty(string folder) =>
        Directory.EnumerateFileSystemEntries(folder).All(entry => Path.GetFileName(entry) == LostAndFound);

    private static FileStream Create(string path)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }
}
