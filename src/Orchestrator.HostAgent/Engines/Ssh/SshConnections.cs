using System.Text;

namespace Orchestrator.HostAgent.Engines.Ssh;

/// <summary>
/// The connections of one session with an engine, through ssh. The first logs in, the others are channels of it, for as long as one is
/// open; a new session begins with a new login, so that nothing waits for a connection that is dead
/// (docs/design/host-agent.md, ssh).
/// </summary>
internal sealed class SshConnections(EngineEndpoint endpoint, string program, TimeProvider time) : IDisposable
{
    /// <summary>As found by PATH.</summary>
    public const string DefaultProgram = "ssh";

    /// <summary>Bytes of a unix socket's path (103 where it is shortest), less those that ssh appends while it makes it.</summary>
    private const int MaxControlPath = 103 - 17;

    private readonly Lock _gate = new();
    private DirectoryInfo? _folder;
    private bool _disposed;

    /// <returns>A stream whose first read fails with an <see cref="EngineException"/> if there is no connection.</returns>
    /// <exception cref="EngineException">ssh cannot be started.</exception>
    public Stream Open() => new SshStream(endpoint, SshProcesses.Of(endpoint).Start(program, SshArguments.For(endpoint, ControlPath()), time));

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            try
            {
                _folder?.Delete(recursive: true);
            }
            catch (IOException)
            {
                // An ssh that is just logging in has put its socket there meanwhile: it ends, and takes that away by itself.
            }
        }
    }

    // In a folder that nobody else may enter: whoever has the socket has the login.
    private string? ControlPath()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            try
            {
                _folder ??= Directory.CreateTempSubdirectory("orc-ssh-");
            }
            catch (IOException failure)
            {
                throw new EngineException(EngineFailure.Ssh, $"no folder for ssh's socket can be made in {Path.GetTempPath()}: {failure.Message}", failure);
            }

            var path = Path.Combine(_folder.FullName, "c");
            return Encoding.UTF8.GetByteCount(path) <= MaxControlPath ? path : null;
        }
    }
}
