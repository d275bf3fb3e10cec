using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// Starts a process that outlives this one: a session of its own (Ctrl-C and hang-ups of our terminal do not reach it), no input,
/// output to a file. The class library's Process has no such thing: its children share our terminal, and a pipe to us breaks
/// with us.
/// </summary>
internal static unsafe partial class DetachedProcess
{
    // spawn.h of glibc and musl alike.
    private const short SetSignalDefaults = 0x04;
    private const short SetSignalMask = 0x08;
    private const short SetSession = 0x80;

    // fcntl.h, Linux.
    private const int ReadOnly = 0;

    // The C library's structures are opaque; the largest of them has 336 bytes.
    private const int OpaqueSize = 1024;

    /// <param name="arguments">The first is the program's own name for itself.</param>
    /// <param name="environment">Set beside, and over, what this process has.</param>
    /// <param name="logFile">Gets standard output and error, appended; made for the owner's eyes only.</param>
    /// <returns>The process id. The caller waits for it.</returns>
    /// <exception cref="Win32Exception">It could not be started.</exception>
    public static int Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string logFile)
    {
        byte* actions = stackalloc byte[OpaqueSize], attributes = stackalloc byte[OpaqueSize], signals = stackalloc byte[OpaqueSize];
        Check(ActionsInit(actions), "posix_spawn_file_actions_init");
        Check(AttributesInit(attributes), "posix_spawnattr_init");
        using var argumentList = new NativeStrings(arguments);
        using var environmentList = NativeStrings.EnvironmentWith(environment);
        try
        {
            Check(AddOpen(actions, 0, "/dev/null", ReadOnly, 0), "posix_spawn_file_actions_addopen");
            Check(AddOpen(actions, Native.StandardOutput, logFile, Native.WriteOnly | Native.Create | Native.Append, Native.OwnerOnly), "posix_spawn_file_actions_addopen");
            Check(AddDup2(actions, Native.StandardOutput, Native.StandardError), "posix_spawn_file_actions_adddup2");

            // What the runtime ignores or blocks in this process is no business of the next.
            Check(FillSignals(signals), "sigfillset");
            Check(SetDefaults(attributes, signals), "posix_spawnattr_setsigdefault");
            Check(EmptySignals(signals), "sigemptyset");
            Check(SetMask(attributes, signals), "posix_spawnattr_setsigmask");
            Check(SetFlags(attributes, SetSession | SetSignalMask | SetSignalDefaults), "posix_spawnattr_setflags");
            Check(Spawn(out var pid, program, actions, attributes, argumentList.Pointer, environmentList.Pointer), program);
            return pid;
        }
        finally
        {
            _ = ActionsDestroy(actions);
            _ = AttributesDestroy(attributes);
        }
    }

    private static void Check(int error, string what)
    {
        if (error != 0)
        {
            throw new Win32Exception(error, $"{what}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Spawn(out int pid, string path, byte* actions, byte* attributes, nint* arguments, nint* environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(byte* actions, int descriptor, string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDup2(byte* actions, int from, int to);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetMask(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefaults(byte* attributes, byte* signals);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    private static partial int FillSignals(byte* signals);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int EmptySignals(byte* signals);
}
