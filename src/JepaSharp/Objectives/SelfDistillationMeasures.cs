using JepaSharp.Data;
using JepaSharp.Data.Loading;
using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What DINO and iBOT say of themselves: the loss on views that never change, and how the teacher uses its outputs.</summary>
/// <remarks> Of distributions p over K outputs, the entropy of their mean less the mean of their entropies is what an output tells of a view. It is
/// 0 in both
/// kinds
/// of collapse (Caron et al., ICCV 2021, section 5.3): where one output wins for every view, and where all outputs are alike for every view; in the
/// second the loss stays at ln K.
/// </remarks>
internal static class SelfDistillationMeasures
{
    /// <summary>Names of the measures.</summary>
    public const string Entropy = "teacher_entropy", MeanEntropy = "teacher_mean_entropy", InUse = "outputs_in_use", Uniform = "uniform_loss";

    private const string Loss = "loss";

    /// <summary>DINO's, at the teacher's last temperature. Nothing in a glance.</summary>
    public static IReadOnlyDictionary<string, double> Of(Dino objective, MonitoredImages images) => Of(objective, images, views =>
    {
        var loss = objective.Loss(views, objective.Options.Temperature.End, out var teacher);
        return ([(Loss, loss)], teacher);
    });

    /// <summary>iBOT's, at the teacher's last temperatures, with masks that never change.</summary>
    public static IReadOnlyDictionary<string, double> Of(Ibot objective, MonitoredImages images) => Of(objective, images, views =>
    {
        var options = objective.Options;
        var masks = HiddenViews.Of(
            options with { FirstMaskedEpoch = 0 }, views.Indices, images.Step, SelfDistillation.Large(options.Global, views).device);
        try
        {
            var said = objective.Losses(views, masks, options.Temperature.End, options.PatchTemperature.End);
            var loss = said.Class.Multiply(options.ClassWeight).Add(said.Patch.Multiply(options.PatchWeight));
            return ([(Loss, loss), (Ibot.ClassLoss, said.Class), (Ibot.PatchLoss, said.Patch)], said.Teacher);
        }
        finally
        {
            masks.Dispose();
        }
    });

    private static Dictionary<string, double> Of(
        Objective objective, MonitoredImages images, Func<ViewBatch, ((string Name, Tensor Value)[] Losses, TeacherOutputs Teacher)> look)
    {
        var measures = new Dictionary<string, double>();
        if (images.Masked == 0) return measures;
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        var outputs = new OutputUse();
        var seen = 0;
        foreach (var batch in images.Batches)
        {
            if (seen >= images.Masked) break;
            using var inner = NewDisposeScope();
            var bytes = ViewMaker.Of(objective.Views, Images(batch), batch.Indices, images.Seed, epoch: -1);
            using var views = ViewBatch.Of(bytes, images.Scaling);
            var (losses, teacher) = look(views);
            foreach (var (name, value) in losses)
                measures[name] = measures.GetValueOrDefault(name) + (batch.Count * ImageJepaMeasures.Number(value.to(float32)));
            outputs.Add(teacher);
            seen += batch.Count;
        }

        if (seen == 0) return measures;
        foreach (var name in measures.Keys.ToList()) measures[name] /= seen;
        outputs.AddTo(measures);
        return measures;
    }

    private static List<RgbImage> Images(ImageBatch batch)
    {
        var bytes = 3 * batch.Height * batch.Width;
        return [.. Enumerable.Range(0, batch.Count).Select(
            i => new RgbImage(batch.Width, batch.Height, batch.Pixels.AsSpan(i * bytes, bytes).ToArray()))];
    }

    /// <summary>How a teacher uses its outputs, over batches.</summary>
    private sealed class OutputUse
    {
        private readonly HashSet<long> _winners = [];
        private double[] _sum = [];
        private double _entropy;
        private long _rows;

        public void Add(TeacherOutputs teacher)
        {
            var piece = SharpenedCrossEntropy.RowsOfAPiece(teacher.Outputs);
            if (_sum.Length == 0) _sum = new double[teacher.Outputs];
            for (long first = 0; first < teacher.Rows; first += piece)
            {
                using var scope = NewDisposeScope();
                var said = teacher.Of(first, Math.Min(piece, teacher.Rows - first));
                _rows += said.shape[0];
                _entropy += ImageJepaMeasures.Number(special.entr(said).sum());
                foreach (var winner in said.argmax(1).cpu().data<long>()) _winners.Add(winner);
                var sum = said.sum([0L]).cpu().data<float>();
                for (var k = 0; k < _sum.Length; k++) _sum[k] += sum[k];
            }
        }

        public void AddTo(Dictionary<string, double> measures)
        {
            measures[Entropy] = _entropy / _rows;
            measures[MeanEntropy] = _sum.Select(s => s / _rows).Where(p => p > 0).Sum(p => -p * Math.Log(p));
            measures[InUse] = _winners.Count / (double)Math.Min(_rows, _sum.Length);
            measures[Uniform] = Math.Log(_sum.Length);
        }
    }
}
