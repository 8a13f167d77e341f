using JepaSharp.Runtime;
using static TorchSharp.torch;

namespace JepaSharp.Objectives;

/// <summary>What a student says of every view of an image, against what a teacher says of the image's other large views.</summary>
/// <remarks> Caron et al., ICCV 2021, equation 3: of Q views that the teacher sees, the first of V that the student sees,
/// <code>
/// L = 1 / T Σ_{q &lt; Q} Σ_{v ≠ q} mean over images of -Σ_k p_q,k log softmax(s_v)_k
/// </code>
/// with T the number of its terms, Q (V - 1).
/// </remarks>
internal static class CrossViewLoss
{
    /// <summary>L. -> [] float32, with gradients to the student.</summary>
    /// <param name="student">float32 [V B, H]: the views one after the other.</param>
    /// <param name="rows">The student's W, float32 [K, H].</param>
    /// <param name="temperature">The student's.</param>
    /// <param name="teacher">Of [Q B, H].</param>
    /// <param name="images">B.</param>
    /// <param name="large">Q.</param>
    /// <param name="products">What the products are computed in.</param>
    public static Tensor Of(Tensor student, Tensor rows, double temperature, TeacherOutputs teacher, int images, int large, ScalarType products)
    {
        using var scope = NewDisposeScope();
        var views = (int)(student.shape[0] / images);
        var loss = new SharpenedCrossEntropy(student, rows, temperature, products);
        var weight = tensor((float)(1.0 / ((double)images * large * (views - 1))), device: student.device);
        var piece = SharpenedCrossEntropy.RowsOfAPiece(teacher.Outputs);
        for (var first = 0; first < images; first += piece)
        {
            using var inner = NewDisposeScope();
            var count = Math.Min(piece, images - first);
            Tensor[] said = [.. Enumerable.Range(0, large).Select(q => teacher.Of(((long)q * images) + first, count))];
            var all = Sum(said);
            for (var view = 0; view < views; view++)
            {
                var others = view < large ? Sum([.. said.Where((_, q) => q != view)]) : all;
                var mass = view < large ? large - 1 : large;
                if (others is not null) loss.Add(((long)view * images) + first, others, mass, weight);
            }
        }

        return loss.Total().MoveToOuterDisposeScope();
    }

    private static Tensor? Sum(Tensor[] distributions) =>
        distributions.Length == 0 ? null : distributions.Skip(1).Aggregate(distributions[0], (a, b) => a.Add(b));
}
