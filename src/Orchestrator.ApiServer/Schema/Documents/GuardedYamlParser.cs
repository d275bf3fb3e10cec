using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Orchestrator.ApiServer.Schema.Documents;

/// <summary>
/// YamlDotNet's parser, which reports some malformed texts by exceptions that are not its own (an unclosed list followed by
/// <c>c: 2</c>: InvalidOperationException). To a client they are errors in its text like any other.
/// </summary>
internal sealed class GuardedYamlParser : IParser
{
    private readonly Scanner _scanner;
    private readonly Parser _parser;

    public GuardedYamlParser(string text)
    {
        _scanner = new Scanner(new StringReader(text), skipComments: true);
        _parser = new Parser(_scanner);
    }

    public ParsingEvent? Current => _parser.Current;

    public bool MoveNext()
    {
        try
        {
            return _parser.MoveNext();
        }
        catch (Exception failure) when (failure is not YamlException)
        {
            throw new MalformedDocumentException(
                string.Create(CultureInfo.InvariantCulture, $"line {_scanner.CurrentPosition.Line}: {failure.Message}"));
        }
    }
}
