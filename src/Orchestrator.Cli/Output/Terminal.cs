using System.Text;
using Spectre.Console;

namespace Orchestrator.Cli.Output;

/// <summary>
/// Where a command reads and writes: answers go to standard output, everything else to standard error. Colours and moving progress
/// only where a person looks: a terminal, no <c>NO_COLOR</c> (no-color.org), no <c>TERM=dumb</c>.
/// </summary>
internal sealed class Terminal : IDisposable
{
    private readonly bool _errorIsTerminal;
    private readonly bool _dumb;
    private readonly Func<Stream> _openInput;

    /// <summary>This process's own.</summary>
    public Terminal()
    {
        _openInput = Console.OpenStandardInput;
        _errorIsTerminal = !Console.IsErrorRedirected;
        _dumb = Environment.GetEnvironmentVariable("TERM") is "dumb";
        var colours = !_dumb && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        Coloured = colours && !Console.IsOutputRedirected;
        ErrorColoured = colours && _errorIsTerminal;
        Out = Writer(Native.StandardOutput);
        Error = Writer(Native.StandardError);
    }

    /// <summary>One where no person looks, for a command that runs inside another program.</summary>
    /// <param name="input">What the command finds at its standard input.</param>
    public Terminal(Stream input, TextWriter output, TextWriter error)
    {
        _openInput = () => input;
        Out = output;
        Error = error;
    }

    public TextWriter Out { get; }

    public TextWriter Error { get; }

    /// <summary>Whether standard output takes colours.</summary>
    public bool Coloured { get; }

    public bool ErrorColoured { get; }

    /// <summary>Whether a line on standard error may be drawn again and again.</summary>
    public bool CanAnimate => _errorIsTerminal && !_dumb;

    /// <summary>Standard input, from where it has been read to.</summary>
    public Stream OpenInput() => _openInput();

    /// <summary>A rich console on standard error, for progress.</summary>
    public IAnsiConsole RichError() => AnsiConsole.Create(new AnsiConsoleSettings
    {
        Out = new AnsiConsoleOutput(Error),
        Ansi = CanAnimate ? AnsiSupport.Yes : AnsiSupport.No,
        ColorSystem = ErrorColoured ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        Interactive = CanAnimate ? InteractionSupport.Yes : InteractionSupport.No,
    });

    public string Paint(string text, Colour? colour) => Coloured && colour is { } chosen ? Ansi(text, chosen) : text;

    public void Fail(string message) => Error.WriteLine((ErrorColoured ? Ansi("error:", Colour.Red) : "error:") + " " + message);

    public void Warn(string message) => Error.WriteLine((ErrorColoured ? Ansi("warning:", Colour.Yellow) : "warning:") + " " + message);

    /// <summary>Something worth knowing that is no part of the answer.</summary>
    public void Note(string message) => Error.WriteLine(message);

    public void Dispose()
    {
        Out.Dispose();
        Error.Dispose();
    }

    private static string Ansi(string text, Colour colour) => $"\e[{(int)colour}m{text}\e[0m";

    private static StreamWriter Writer(int descriptor) => new(new StandardStream(descriptor), new UTF8Encoding(false), bufferSize: 4096)
    {
        AutoFlush = true,
        NewLine = "\n",
    };
}

/// <summary>The terminal's own colours, by their ANSI numbers: they suit whatever theme the user has.</summary>
internal enum Colour
{
    Red = 31,
    Green = 32,
    Yellow = 33,
    Blue = 34,
    Magenta = 35,
    Cyan = 36,
    Grey = 90,
}
