namespace Orchestrator.Cli.Serving;

/// <summary>
/// Sends standard output and error to a file, the runtime's own last words included, and starts a new file before one grows too
/// large. The file is opened for appending by the kernel, since for a moment two proxies may write to it.
/// </summary>
internal sealed class LogFile(string path, long maxSize = LogFile.DefaultMaxSize)
{
    /// <summary>Bytes of one file: with the old ones, 40 MB at most.</summary>
    public const long DefaultMaxSize = 10 * 1024 * 1024;

    private const int OldFiles = 3;

    private long _written;

    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Open()
    {
        var descriptor = Native.Open(path, Native.WriteOnly | Native.Create | Native.Append | Native.CloseOnExec, Native.OwnerOnly);
        if (descriptor < 0)
        {
            throw new IOException(Native.LastError(path).Message);
        }

        try
        {
            _written = new FileInfo(path).Length;
            if (Native.Dup2(descriptor, Native.StandardOutput) < 0 || Native.Dup2(descriptor, Native.StandardError) < 0)
            {
                throw new IOException(Native.LastError(path).Message);
            }
        }
        finally
        {
            _ = Native.Close(descriptor);
        }
    }

    /// <summary>To be called after each write; not thread-safe.</summary>
    public void Count(int bytes)
    {
        _written += bytes;
        if (_written < maxSize)
        {
            return;
        }

        for (var i = OldFiles - 1; i >= 0; i--)
        {
            var from = i == 0 ? path : $"{path}.{i}";
            if (File.Exists(from))
            {
                File.Move(from, $"{path}.{i + 1}", overwrite: true);
            }
        }

        Open();
    }
}
