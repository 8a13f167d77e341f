using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using JepaSharp.Masking;

namespace JepaSharp.Tests.Masking;

/// <summary>The published sampler's recorded statistics, which another random generator must meet within three standard errors.</summary>
public sealed partial class ReferenceMaskStatisticsTests
{
    private const int Batches = 1000;

    public static TheoryData<string> Recorded => Fixtures.NamesIn("reference_mask_statistics");

    /// <summary>A name is CROP/PATCH B=BATCH min_keep=N.</summary>
    [Theory]
    [MemberData(nameof(Recorded))]
    [Trait(RecordedFolders.Trait, "reference_numbers")]
    public void ReferenceMasks_OverManyBatches_HaveTheRecordedStatistics(string name)
    {
        int[] numbers = [.. Number().Matches(name).Select(m => int.Parse(m.Value, CultureInfo.InvariantCulture))];
        var (side, batch, minKeep) = (numbers[0] / numbers[1], numbers[2], numbers[3]);
        var recorded = Fixtures.ReferenceNumbers.GetProperty("reference_mask_statistics").GetProperty(name);
        var recordedBatches = recorded.GetProperty("batches").GetInt32();
        var sampler = new MaskSampler(new MultiBlockMaskingOptions
        {
            Grid = new PatchGrid(side, side),
            MinKeep = minKeep,
            Compatibility = MaskCompatibility.Reference,
        });

        var context = new Moments();
        var target = new Moments();
        var sizes = new SortedDictionary<int, int>();
        Moments[] contextRows = Rows(side), targetRows = Rows(side), targetColumns = Rows(side);
        for (var step = 0; step < Batches; step++)
        {
            var masks = sampler.Sample(seed: 7, step, batch);
            context.Add(masks.ContextLength);
            target.Add(masks.TargetLength);
            sizes[masks.TargetLength] = sizes.GetValueOrDefault(masks.TargetLength) + 1;
            AddCoverage(contextRows, masks.Context(0).Span, i => masks.Grid.RowOf(i), batch);
            var targets = Enumerable.Range(0, masks.TargetBlocks).SelectMany(block => masks.Target(block).ToArray()).ToArray();
            AddCoverage(targetRows, targets, i => masks.Grid.RowOf(i), batch);
            AddCoverage(targetColumns, targets, i => masks.Grid.ColumnOf(i), batch);
        }

        context.AssertAgrees("mean context", recorded.GetProperty("mean_context").GetDouble(), recordedBatches);
        target.AssertAgrees("mean target", recorded.GetProperty("mean_target").GetDouble(), recordedBatches);
        AssertAllAgree("context row", contextRows, recorded.GetProperty("context_coverage_by_row"), recordedBatches);
        AssertAllAgree("target row", targetRows, recorded.GetProperty("target_coverage_by_row"), recordedBatches);
        AssertAllAgree("target column", targetColumns, recorded.GetProperty("target_coverage_by_column"), recordedBatches);

        var histogram = recorded.GetProperty("target_sizes").EnumerateObject()
            .ToDictionary(p => int.Parse(p.Name, CultureInfo.InvariantCulture), p => p.Value.GetInt32());
        foreach (var size in sizes.Keys.Union(histogram.Keys))
        {
            var p = (double)sizes.GetValueOrDefault(size) / Batches;
            Assert.True(p > 0, $"target blocks of {size} patches never drawn");
            var error = Math.Sqrt(p * (1 - p) * ((1.0 / recordedBatches) + (1.0 / Batches)));
            Assert.InRange((double)histogram.GetValueOrDefault(size) / recordedBatches, p - (3 * error), p + (3 * error));
        }
    }

    [GeneratedRegex("[0-9]+")]
    private static partial Regex Number();

    private static Moments[] Rows(int count) => [.. Enumerable.Range(0, count).Select(_ => new Moments())];

    /// <summary>Of one batch: how many masks hold a patch, on average over the images and the patches of a row (or column).</summary>
    private static void AddCoverage(Moments[] lines, ReadOnlySpan<long> indices, Func<long, int> lineOf, int batch)
    {
        var counts = new double[lines.Length];
        foreach (var index in indices) counts[lineOf(index)]++;
        for (var line = 0; line < lines.Length; line++) lines[line].Add(counts[line] / (batch * lines.Length));
    }

    private static void AssertAllAgree(string what, Moments[] lines, JsonElement recorded, int recordedBatches)
    {
        Assert.Equal(lines.Length, recorded.GetArrayLength());
        for (var line = 0; line < lines.Length; line++) lines[line].AssertAgrees($"{what} {line}", recorded[line].GetDouble(), recordedBatches);
    }

    private sealed class Moments
    {
        private double _count, _sum, _squares;

        public void Add(double value)
        {
            _count++;
            _sum += value;
            _squares += value * value;
        }

        public void AssertAgrees(string what, double recorded, int recordedBatches)
        {
            var mean = _sum / _count;
            var variance = Math.Max(0, (_squares / _count) - (mean * mean));
            var error = Math.Sqrt(variance * ((1.0 / recordedBatches) + (1 / _count)));
            // Recorded coverages are rounded to four digits.
            Assert.True(Math.Abs(mean - recorded) <= (3 * error) + 5e-5, $"{what}: {mean:F4}, recorded {recorded:F4}, standard error {error:F4}");
        }
    }
}
