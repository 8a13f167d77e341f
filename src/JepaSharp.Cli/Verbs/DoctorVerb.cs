using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using JepaSharp.Cli.Display;
using JepaSharp.Runs;

namespace JepaSharp.Cli.Verbs;

/// <summary><c>jepa doctor</c>: what this machine offers, how fast it is, and what will be used.</summary>
internal sealed class DoctorVerb : Verb
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object instead of a table." };

    public DoctorVerb()
        : base("doctor", "What this machine offers: libtorch, device, cores, precision, measured speed, and what will be used.") => Add(_json);

    public override bool PrintsItsResult(ParseResult arguments) => true;

    public override int Run(ParseResult arguments, Terminal terminal, StopSignals stop)
    {
        var items = MachineReport.Collect(Directory.GetCurrentDirectory()).ToList();
        if (arguments.GetValue(_json)) terminal.Out.Write(JsonSerializer.Serialize(items.ToDictionary(i => i.Key, i => i.Value), Readable) + "\n");
        else Print(items, terminal);
        return ExitCode.Done;
    }

    private static void Print(IEnumerable<MachineItem> items, Terminal terminal)
    {
        var table = new ResultTable(null, "", "what", "value");
        foreach (var section in items.GroupBy(i => i.Section))
        {
            var title = section.Key == "choice" ? "will be used" : section.Key;
            foreach (var item in section)
            {
                table.Add(title, item.Name, item.Text);
                title = "";
            }
        }

        table.Print(terminal);
    }
}
