//! The `K` that came back.

/// How many are kept at most.
const MOST: usize = 1024;

/// Objects that were given to clauses and came back, spent and with nobody else holding them: the next clauses may have
/// them. There are as many as the clauses that were at work at a time, up to a bound.
pub struct Spare<V>(Vec<V>);

impl<V> Default for Spare<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> Spare<V> {
    /// The last one that came back.
    #[inline]
    pub fn take(&mut self) -> Option<V> {
        self.0.pop()
    }

    /// Keeps one.
    ///
    /// # Errors
    /// There are enough, or there is no memory: here it is back.
    #[inline]
    pub fn keep(&mut self, spare: V) -> Result<(), V> {
        let is_full = self.0.len() == self.0.capacity();
        if is_full && (self.0.len() >= MOST || self.0.try_reserve(1).is_err()) {
            return Err(spare);
        }
        self.0.push(spare);
        Ok(())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &V> {
        self.0.iter()
    }
}
