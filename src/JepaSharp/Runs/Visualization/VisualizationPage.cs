using System.Globalization;
using System.Text;
using System.Text.Json;
using JepaSharp.Data;
using JepaSharp.Pictures;
using JepaSharp.Reports;
using JepaSharp.Weights;
using static TorchSharp.torch;

namespace JepaSharp.Runs.Visualization;

/// <summary>What was drawn and measured, as a page, a PNG and numbers.</summary>
/// <param name="folder">Where they go.</param>
/// <param name="samples">Pictures of each representation.</param>
/// <param name="facts">What the decoders are of.</param>
internal sealed class VisualizationPage(string folder, int samples, DecoderFacts facts) : IDisposable
{
    private static readonly JsonSerializerOptions Layout = new() { WriteIndented = true };

    /// <summary>What was measured.</summary>
    public VisualizationNumbers Numbers { get; } = new();

    /// <summary>Of each source, pictures of each shown image: [S, 3, size, size].</summary>
    public Dictionary<BlockSource, IReadOnlyList<Tensor>> Drawn { get; } = [];

    /// <summary>Writes all of it.</summary>
    /// <param name="tested">The blocks.</param>
    public VisualizationResult Write(PreparedBlocks tested)
    {
        string In(string name) => Path.Combine(folder, name);
        var (figure, page, numbers) = (In("figure.png"), In("report.html"), In("measures.json"));
        var (columns, rows) = (Columns(), Rows(tested));
        WriteFile(figure, DrawingSheet.Draw(columns, [.. rows.Select(r => r.Pictures)]).ToPng());
        WriteFile(numbers, JsonSerializer.SerializeToUtf8Bytes(Numbers.ForJson(facts, samples, tested), Layout));
        var words = new VisualizationWords(Numbers, tested, samples);
        var said = words.Said().ToList();
        var content = new DrawingPageContent(
            "What the predictor knows",
            $"Blocks drawn from what {facts.Weights} says of them, where they lie: I-JEPA, figure 6. What several pictures of a row have in "
                + "common is in the representation; what differs is not. The images are the first by name (of labelled ones the first of each class "
                + "in turn), and nobody chose among them.",
            Facts(tested), [.. columns.Select(c => $"{c.Title} ({c.Note})")], rows)
        {
            Notes = said,
            Tables = [.. words.Tables()],
            Maps = [.. Numbers.Measures.Select(m => (
                $"{VisualizationWords.TitleOf(m.Source)}: {VisualizationWords.Short(m.Spread.Share)} over all", DrawingSheet.Map(m.Spread.Map)))],
        };
        WriteFile(page, Encoding.UTF8.GetBytes(DrawingPage.Of(content)));
        return new VisualizationResult(page, figure, numbers, [.. said.Select(s => s.Text)]);
    }

    public void Dispose()
    {
        foreach (var picture in Drawn.Values.SelectMany(p => p)) picture.Dispose();
    }

    private static void WriteFile(string path, byte[] bytes) => DurableFile.Write(path, stream => stream.Write(bytes));

    private List<(string Title, string Note)> Columns()
    {
        List<(string, string)> columns = [("image", "as it is"), ("context", "what is seen"), ("block", "what is asked")];
        foreach (var who in Drawn.Keys)
        {
            var (title, note) = who == BlockSource.Predictor ? ("predictor", "its output") : ("target", "its own output");
            columns.AddRange(Enumerable.Range(1, samples).Select(s => (title, $"{note}, {s.ToString(CultureInfo.InvariantCulture)}")));
        }

        return columns;
    }

    private List<(string Name, IReadOnlyList<RgbImage> Pictures)> Rows(PreparedBlocks tested)
    {
        var rows = new List<(string, IReadOnlyList<RgbImage>)>();
        for (var i = 0; i < Drawn.First().Value.Count; i++)
        {
            var (image, grid, seen, block) = (tested.Shown[i].Image, tested.Shown[i].Grid, tested.Shown[i].Seen, tested.Shown[i].Block);
            List<RgbImage> pictures =
                [DrawingSheet.Faded(image, grid, null), DrawingSheet.Faded(image, grid, seen), DrawingSheet.Block(image, grid, block)];
            foreach (var drawn in Drawn.Values)
                pictures.AddRange(PictureBytes.Images(drawn[i]).Select(d => DrawingSheet.Pasted(image, grid, seen, block, d)));
            rows.Add((tested.Shown[i].Name, pictures));
        }

        return rows;
    }

    private IReadOnlyList<(string Name, string Value)> Facts(PreparedBlocks tested)
    {
        static string Count(int number) => number.ToString("n0", CultureInfo.InvariantCulture);
        return
        [
            ("encoder's fingerprint", facts.Fingerprint[..12]),
            ("blocks learned from", Count(facts.Pairs)),
            ("steps of each decoder", Count(facts.Steps ?? 0)),
            ("pixels a side", Count(facts.Size)),
            ("blocks held out", Count(tested.Count)),
        ];
    }
}
