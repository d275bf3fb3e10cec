using System.Collections;
using System.Runtime.InteropServices;
using System.Text;

namespace Orchestrator.Cli.Serving;

/// <summary>C's list of strings, ended by a null.</summary>
internal sealed unsafe class NativeStrings : IDisposable
{
    private readonly int _count;

    public NativeStrings(IReadOnlyList<string> strings)
    {
        _count = strings.Count;
        Pointer = (nint*)NativeMemory.Alloc((nuint)(_count + 1), (nuint)sizeof(nint));
        for (var i = 0; i < _count; i++)
        {
            Pointer[i] = Copy(strings[i]);
        }

        Pointer[_count] = 0;
    }

    public nint* Pointer { get; }

    /// <param name="added">Set beside, and over, what this process has.</param>
    public static NativeStrings EnvironmentWith(IReadOnlyDictionary<string, string> added)
    {
        var merged = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(entry => (string)entry.Key, entry => (string?)entry.Value ?? "");
        foreach (var (key, value) in added)
        {
            merged[key] = value;
        }

        return new([.. merged.Select(entry => $"{entry.Key}={entry.Value}")]);
    }

    public void Dispose()
    {
        for (var i = 0; i < _count; i++)
        {
            NativeMemory.Free((void*)Pointer[i]);
        }

        NativeMemory.Free(Pointer);
    }

    private static nint Copy(string text)
    {
        var size = Encoding.UTF8.GetByteCount(text);
        var copy = (byte*)NativeMemory.Alloc((nuint)size + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(copy, size));
        copy[size] = 0;
        return (nint)copy;
    }
}
