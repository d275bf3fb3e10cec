using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Orchestrator.Cli;

/// <summary>The few calls of the C library that the class library does not have. Constants are Linux'.</summary>
internal static unsafe partial class Native
{
    public const int StandardOutput = 1;
    public const int StandardError = 2;
    public const int Sigterm = 15;
    public const int Sigkill = 9;
    public const int Eintr = 4;
    public const int Eagain = 11;
    public const int Epipe = 32;

    // fcntl.h
    public const int WriteOnly = 1;
    public const int Create = 0x40;
    public const int Append = 0x400;
    public const int CloseOnExec = 0x80000;
    public const int OwnerOnly = 0x180;

    // fcntl(2): commands and flags of descriptors.
    public const int SetFlags = 2;
    public const int CloseOnExecFlag = 1;

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int SetDescriptorFlags(int descriptor, int command, int flags);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int descriptor, byte* buffer, nint count);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    public static partial int WaitPid(int pid, out int status, int options);

    [LibraryImport("libc", EntryPoint = "dup2", SetLastError = true)]
    public static partial int Dup2(int from, int to);

    [LibraryImport("libc", EntryPoint = "execve", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Execute(string path, nint* arguments, nint* environment);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    public static partial int MallocTrim(nint keep);

    /// <exception cref="Win32Exception">Always: the last error of the C library, with what was tried.</exception>
    public static Exception LastError(string what) => new Win32Exception(Marshal.GetLastPInvokeError(), $"{what}: {Marshal.GetLastPInvokeErrorMessage()}");
}
