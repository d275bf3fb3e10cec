using System.Text;

namespace Orchestrator.ApiServer;

/// <summary>Files that only their owner may read, never half written: made aside, flushed to disk, then renamed.</summary>
internal static class PrivateFile
{
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        Directory.CreateDirectory(path, Mode);
        // It may have been there with another mode.
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
