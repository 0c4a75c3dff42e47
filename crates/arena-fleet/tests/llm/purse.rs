//! A conversation's budget that remembers what was done with it.

use arena_fleet::brain::{Purse, Unpaid};
use async_trait::async_trait;
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

#[derive(Default)]
pub struct Book {
    /// Refuses with this code.
    pub refuses: Option<&'static str>,
    reserved: Mutex<Vec<(u64, u64)>>,
    released: Mutex<Vec<String>>,
    news: Notify,
}

impl Book {
    pub fn open() -> (Arc<Book>, Arc<dyn Purse>) {
        Book::with(Book::default())
    }

    pub fn refusing(code: &'static str) -> (Arc<Book>, Arc<dyn Purse>) {
        Book::with(Book { refuses: Some(code), ..Book::default() })
    }

    fn with(book: Book) -> (Arc<Book>, Arc<dyn Purse>) {
        let book = Arc::new(book);
        (Arc::clone(&book), book)
    }

    /// Tokens and money of each reservation.
    pub fn reserved(&self) -> Vec<(u64, u64)> {
        self.reserved.lock().unwrap().clone()
    }

    pub fn released(&self) -> Vec<String> {
        self.released.lock().unwrap().clone()
    }

    /// Waits until something was reserved.
    pub async fn until_reserved(&self) {
        while self.reserved().is_empty() {
            self.news.notified().await;
        }
    }
}

#[async_trait]
impl Purse for Book {
    async fn reserve(&self, tokens: u64, cost_micros: u64) -> Result<Option<String>, Unpaid> {
        if let Some(code) = self.refuses {
            return Err(Unpaid { code: code.to_owned() });
        }
        let mut reserved = self.reserved.lock().unwrap();
        reserved.push((tokens, cost_micros));
        let id = format!("r{}", reserved.len());
        self.news.notify_one();
        Ok(Some(id))
    }

    async fn release(&self, reservation: &str) {
        tokio::task::yield_now().await;
        self.released.lock().unwrap().push(reservation.to_owned());
    }
}
